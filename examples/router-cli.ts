// A console as a router has it: `node router-cli.ts tcp://127.0.0.1:2323`, then telnet. Commands may be shortened, Tab
// completes them, and `?` says what may come next. Modes are rows of a table.
import { createHistory, createTelnetServer, type TelnetHandler } from '@wellknown/telnet';

type Device = { hostname: string; mode: string };
type Command = { readonly help: string; readonly run: (device: Device, argument: string) => string | undefined };
const goTo = (mode: string, help: string): Command => ({ help, run: (device) => void (device.mode = mode) });
const SIGNS: Readonly<Record<string, string>> = { user: '>', privileged: '#', config: '(config)#' };
const MODES: Readonly<Record<string, Readonly<Record<string, Command>>>> = {
  user: {
    enable: goTo('privileged', 'turn on privileged commands'),
    exit: goTo('gone', 'leave'),
    'show clock': { help: 'the time', run: () => new Date().toISOString() },
    'show version': { help: 'what runs here', run: () => `node ${process.version}` },
  },
  privileged: {
    configure: goTo('config', 'change the configuration'),
    disable: goTo('user', 'turn them off'),
    exit: goTo('gone', 'leave'),
  },
  config: {
    hostname: { help: 'NAME: the name in the prompt', run: (device, name) => void (device.hostname = name) },
    end: goTo('privileged', 'back to privileged commands'),
    exit: goTo('privileged', 'back to privileged commands'),
  },
};
const wordsOf = (text: string): string[] => text.trim().split(/\s+/);

export const handler: TelnetHandler = async (session) => {
  await session.ready;
  await session.setMode('character');
  const device: Device = { hostname: 'router', mode: 'user' };
  const history = createHistory();
  for (let mode = MODES[device.mode]; mode !== undefined; mode = MODES[device.mode]) {
    const commands = mode;
    /** The commands that a line may mean: each of its words may be shortened. */
    const meant = (line: string): string[] =>
      Object.keys(commands).filter((name) =>
        wordsOf(name).every((word, at) => word.startsWith(wordsOf(line)[at] ?? '')),
      );
    const complete = (line: string) => ({ candidates: meant(line), from: 0 });
    const help = (line: string) =>
      meant(line)
        .map((name) => `  ${name.padEnd(14)} ${commands[name]!.help}`)
        .join('\n');
    const line = await session.ask(device.hostname + (SIGNS[device.mode] ?? ''), { history, complete, help });
    if (line === undefined) return;
    if (line.trim() === '') continue;
    const [name, ...others] = meant(line);
    if (name === undefined || others.length > 0) await session.print(name === undefined ? '% Unknown' : '% Ambiguous');
    else await session.print(commands[name]!.run(device, wordsOf(line).slice(wordsOf(name).length).join(' ')));
  }
};

if (process.argv[2] !== undefined) await createTelnetServer(handler, { listen: process.argv[2] }).listen();
