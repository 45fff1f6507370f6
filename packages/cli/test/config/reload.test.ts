// A reload of a configuration: what changed is replaced, and what did not change is not touched.

import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connectClient, eventually, unusedAddress } from '@wellknown/core/testing';
import { describe, expect, test } from 'vitest';
import { runHere } from '../../../../test/command-line.ts';
import { run } from '../../src/run.ts';
import { FOUR, translated, up } from '../fixtures/running-config.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe.each([[[]], [['--accept', 'inherit-shared']], [['--accept', 'dispatch']]])('with %j', (args) => {
  test('a reload that changes one of four services drops nothing of the other three', async () => {
    const running = await up(FOUR('xyz'), args);
    const [web, files, shell] = await Promise.all(['web', 'files', 'shell'].map((name) => running.connect(name)));
    await files!.receive('220 ');
    await shell!.receive('>');
    const ports = (await running.status()).services.map(({ endpoints }) => endpoints);
    expect(await translated(running)).toBe('xyz\n');

    for (const letters of ['uvw', 'rst']) {
      running.write(FOUR(letters));
      expect(await running.reload()).toMatchObject({ ok: true });
      expect(await translated(running)).toBe(`${letters}\n`);
      // Past the deadline of a drain, after which nothing may have been cut either.
      await eventually(async () => {
        expect((await running.status()).workers.filter(({ at }) => at === 'draining').length).toBeLessThanOrEqual(2);
      });
      web!.send(REQUEST);
      expect(await web!.receive('hello\n')).not.toMatch(/^connection: close/im);
      files!.send('NOOP\r\n');
      await files!.receive('200 ');
      shell!.send('help\r\n');
      await shell!.receive('>');
    }
    const { services, workers } = await running.status();
    // Ports that the kernel gave stay, also that of the service that changed.
    expect(services.map(({ endpoints }) => endpoints)).toEqual(ports);
    expect(services.map(({ connections }) => connections.open)).toEqual([1, 1, 1, 0]);
    expect(workers.filter(({ at }) => at === 'ready')).toHaveLength(2);

    // What is kept ends with its last connection.
    files!.send('QUIT\r\n');
    shell!.end();
    web!.end();
    await eventually(async () => expect((await running.status()).workers).toHaveLength(2));
  });
});

test('services and listeners come and go, and the others stay', async () => {
  const running = await up(FOUR('xyz'));
  const shell = await running.connect('shell');
  await shell.receive('>');
  running.write(`
services:
  shell: { protocol: telnet, listen: 'tcp://127.0.0.1:0' }
  echo: { listen: ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0'] }
`);
  const letters = (await running.status()).services.at(-1)?.endpoints[0] ?? '';
  expect(await running.reload()).toMatchObject({ ok: true });
  expect((await running.status()).services.map(({ name }) => name)).toEqual(['shell', 'echo']);
  const echo = await running.connect('echo');
  echo.send('to and fro');
  await echo.receive('to and fro');
  await expect(connectClient(letters)).rejects.toThrow('ECONNREFUSED');
  shell.send('help\r\n');
  await shell.receive('>');
});

test('a listener that one service leaves another one takes, over its socket', async () => {
  const held = await unusedAddress();
  const one = (name: string, program: string): string =>
    `services:\n  ${name}: { protocol: exec, listen: 'tcp://${held.host}:${held.port}', program: ${program} }\n`;
  const running = await up(one('a', 'cat'));
  running.write(one('b', 'rev'));
  expect(await running.reload()).toMatchObject({ ok: true });
  const client = await running.connect('b');
  client.send('abc\n');
  client.end();
  expect(await client.receiveAll()).toBe('cba\n');
});

test('services that swap their endpoints, or their names, are served where each is by then', async () => {
  const held = [await unusedAddress(), await unusedAddress()].map(({ host, port }) => `tcp://${host}:${port}`);
  const [here = '', there = ''] = held;
  const config = (services: Readonly<Record<string, readonly [listen: string, says: string]>>): string =>
    `services:\n${Object.entries(services)
      .map(
        ([name, [listen, says]]) =>
          `  ${name}: { protocol: exec, listen: '${listen}', program: echo, args: [${says}] }\n`,
      )
      .join('')}`;
  const running = await up(config({ a: [here, 'one'], b: [there, 'two'] }));
  const said = () => Promise.all(held.map(async (address) => (await connectClient(address)).receiveAll()));
  expect(await said()).toEqual(['one\n', 'two\n']);
  for (const [swapped, expected] of [
    [config({ a: [there, 'one'], b: [here, 'two'] }), ['two\n', 'one\n']],
    [config({ b: [there, 'one'], a: [here, 'two'] }), ['two\n', 'one\n']],
    [config({ 'a-2': [here, 'two'], b: [there, 'one'] }), ['two\n', 'one\n']],
  ] as const) {
    running.write(swapped);
    expect(await running.reload()).toMatchObject({ ok: true });
    expect(await said()).toEqual(expected);
  }
});

test('an endpoint where the primary accepts is refused to a service that runs programs, and nothing changes', async () => {
  const held = await unusedAddress();
  const one = (rest: string): string =>
    `accept: dispatch\nservices:\n  a: { listen: 'tcp://${held.host}:${held.port}', ${rest} }\n`;
  const running = await up(one('protocol: telnet'));
  running.write(one('protocol: exec, program: cat'));
  const refused = await running.reload();
  expect(refused).toMatchObject({ ok: false });
  expect(JSON.stringify(refused)).toContain("can't go to a service that runs programs");
  const client = await running.connect('a');
  await client.receive('>');
});

test('a configuration that is wrong changes nothing, and its mistakes are logged', async () => {
  const running = await up(FOUR('xyz'));
  const shell = await running.connect('shell');
  await shell.receive('>');
  running.write(FOUR('uvw').replace('protocol: ftp', 'protocol: fttp'));
  const answer = await running.reload();
  expect(answer).toMatchObject({ ok: false });
  expect(JSON.stringify(answer)).toContain("wellknown.config.yaml:4:12: services.files.protocol: protocol is 'fttp'");
  await eventually(() => expect(running.program.stderr()).toContain("protocol is 'fttp'"));
  expect(await translated(running)).toBe('xyz\n');
  shell.send('help\r\n');
  await shell.receive('>');
});

test('an address that is taken changes nothing either', async () => {
  const running = await up(FOUR('xyz'));
  const taken = (await running.status()).services[0]?.endpoints[0] ?? '';
  running.write(
    `${FOUR('uvw')}  more: { protocol: echo, listen: '${taken.replace('tcp', 'udp')}' }\n  other: { protocol: telnet, listen: 'tcp://192.0.2.1:9' }\n`,
  );
  expect(await running.reload()).toMatchObject({ ok: false });
  expect(await translated(running)).toBe('xyz\n');
  running.write(FOUR('uvw'));
  expect(await running.reload()).toMatchObject({ ok: true });
  expect(await translated(running)).toBe('uvw\n');
});

test('a reload that finds nothing changed is for the code: every connection drains', async () => {
  const running = await up(FOUR('xyz'));
  const files = await running.connect('files');
  await files.receive('220 ');
  expect(await running.reload()).toMatchObject({ ok: true });
  expect(await files.receiveAll()).toContain('421 ');
});

test('what stands beside the services for each of them holds after a reload as before', async () => {
  const denying = (letters: string): string => `deny: ['127.0.0.1']\n${FOUR(letters)}`;
  const running = await up(denying('xyz'));
  expect(await (await running.connect('files')).receiveAll()).toBe('');
  running.write(denying('uvw'));
  expect(await running.reload()).toMatchObject({ ok: true });
  expect(await (await running.connect('files')).receiveAll()).toBe('');
});

test('a change beside the services touches none of them', async () => {
  const running = await up(FOUR('xyz'));
  const files = await running.connect('files');
  await files.receive('220 ');
  running.write(`maxAge: 1h\n${FOUR('xyz')}`);
  expect(await running.reload()).toMatchObject({ ok: true });
  files.send('NOOP\r\n');
  await files.receive('200 ');
  await eventually(() => {
    expect(running.program.stderr()).toContain('"added":[],"changed":[],"removed":[]');
  });
});

test('a handler that can no longer be loaded changes nothing', async () => {
  const running = await up(FOUR('xyz'));
  const files = await running.connect('files');
  await files.receive('220 ');
  running.write(`${FOUR('uvw')}  broken: { protocol: telnet, listen: 'tcp://127.0.0.1:0', handler: none.mjs }\n`);
  const answer = await running.reload();
  expect(answer).toMatchObject({ ok: false });
  expect(JSON.stringify(answer)).toContain('none.mjs');
  expect(await translated(running)).toBe('xyz\n');
  files.send('NOOP\r\n');
  await files.receive('200 ');
  expect((await running.status()).services.map(({ name }) => name)).toEqual(['web', 'files', 'shell', 'letters']);
});

// The first worker that loads it is ready, and those after it are not.
const ONLY_ONCE = (folder: string, refusal: string): string => `
import { existsSync, writeFileSync } from 'node:fs';
const taken = ${JSON.stringify(path.join(folder, 'taken'))};
if (existsSync(taken)) { ${refusal} }
writeFileSync(taken, '');
export default async (session) => { await session.writeLine('once'); };
`;

test.each([
  ['ends each time', 'process.exit(3);', 'RELOAD_FAILED'],
  ['throws', "throw new Error('no second one');", 'no second one'],
])(
  'a second new worker that %s makes the reload fail, and what was before serves again',
  async (_how, refusal, told) => {
    const before = `workers: 2\n${FOUR('xyz')}`;
    const running = await up(before);
    const shell = await running.connect('shell');
    await shell.receive('>');
    writeFileSync(path.join(running.folder, 'once.mjs'), ONLY_ONCE(running.folder, refusal));
    const more = "  once: { protocol: telnet, listen: 'tcp://127.0.0.1:0', handler: once.mjs }\n";
    running.write(`${before.replace('xyz', 'uvw')}${more}`);
    const answer = await running.reload();
    expect(answer).toMatchObject({ ok: false });
    await eventually(() => expect(running.program.stderr()).toContain(told));

    // Every worker is of the old configuration again, and a connection of a service that did not change goes on.
    await eventually(async () => {
      const { workers, services } = await running.status();
      const ready = workers.filter(({ at }) => at === 'ready');
      expect(ready.map(({ generation, slot }) => [slot, generation]).sort()).toEqual([
        [1, 1],
        [2, 1],
      ]);
      expect(services.map(({ name }) => name)).toEqual(['web', 'files', 'shell', 'letters']);
    });
    for (let time = 0; time < 4; time += 1) expect(await translated(running)).toBe('xyz\n');
    shell.send('help\r\n');
    await shell.receive('>');

    // The next one is another one.
    running.write(before.replace('xyz', 'rst'));
    expect(await running.reload()).toMatchObject({ ok: true });
    expect(await translated(running)).toBe('rst\n');
  },
);

test('a number of workers that a reload could not reach is what the next one begins with', async () => {
  const running = await up(`workers: 2\n${FOUR('xyz')}`, [], []);
  writeFileSync(path.join(running.folder, 'never.mjs'), 'process.exit(3);');
  const more = "  never: { protocol: telnet, listen: 'tcp://127.0.0.1:0', handler: never.mjs }\n";
  running.write(`workers: 3\n${FOUR('xyz')}${more}`);
  expect(await running.reload()).toMatchObject({ ok: false });
  await eventually(async () => expect((await running.status()).workers).toHaveLength(2));
  running.write(`workers: 3\n${FOUR('xyz')}`);
  expect(await running.reload()).toMatchObject({ ok: true });
  expect((await running.status()).workers.filter(({ at }) => at === 'ready')).toHaveLength(3);
});

test('what the primary has open does not grow with reloads that change, add and remove, or fail', async () => {
  const port = await unusedAddress();
  const config = (time: number): string => `
workers: 1
services:
  web: { protocol: http, root: site, listen: 'tcp://${port.host}:${port.port}', accessLog: access.log, idleTimeout: ${time + 10} }
  files: { protocol: ftp, root: site, listen: 'tcp://127.0.0.1:0', accessLog: files.log, greeting: hello ${time} }
  echo${time % 2}: { protocol: echo, listen: ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'] }
`;
  const running = await up(config(0), [], ['--drain-timeout', '0.2']);
  const files = await running.connect('files');
  await files.receive('220 ');
  files.send('QUIT\r\n');
  const settled = async (): Promise<number> => {
    await eventually(async () => expect((await running.status()).workers).toHaveLength(1));
    return readdirSync(`/proc/${running.program.pid}/fd`).length;
  };
  const counts: number[] = [];
  for (let time = 1; time <= 8; time += 1) {
    running.write(config(time));
    expect(await running.reload()).toMatchObject({ ok: true });
    running.write(config(time + 1).replace('protocol: echo', 'protocol: ecko'));
    expect(await running.reload()).toMatchObject({ ok: false });
    counts.push(await settled());
  }
  // One that each of these reloads left would be eight; who asks for the status has one or another open too.
  expect(counts.at(-1)).toBeLessThan((counts[0] ?? 0) + 4);
  // A listener for USR1 that every reload left would have been told of by Node.
  expect(running.program.stderr()).not.toContain('MaxListeners');
  // What was counted under each of the configurations is counted still.
  const { services } = await running.status();
  expect(services.find(({ name }) => name === 'files')?.connections.accepted).toBe(1);
});

test('settings of the supervisor are taken, and what can be changed only by an upgrade is told by name', async () => {
  const config = (settings: string): string => `workers: 2\n${settings}\n${FOUR('xyz')}`;
  const running = await up(config('drainTimeout: 60\npidFile: one.pid'), [], []);
  const letters = await running.connect('letters');
  running.write(config('drainTimeout: 0.2\npidFile: two.pid\nlogLevel: debug\nlogFormat: pretty'));
  expect(await running.reload()).toEqual({ ok: true, value: { kept: ['logFormat', 'pidFile'] } });
  await eventually(() => expect(running.program.stderr()).toContain('"kept":["logFormat","pidFile"]'));
  expect(await running.ask({ command: 'log-level' })).toEqual({ ok: true, value: { level: 'debug' } });

  // The second one is for the code, and drains what the first has left: not for a minute.
  const command = ['reload', '--control', path.join(running.folder, 'control.sock')];
  expect((await runHere(() => run(command))).stdout).toBe('reloaded; kept until a restart: logFormat, pidFile\n');
  expect(await letters.receiveAll()).toBe('');
  expect(/^(?!\{).+/m.exec(running.program.stderr())).toBeNull();

  // One that was set at run time stays where the configuration says the same as before.
  await running.ask({ command: 'log-level', level: 'warn' });
  running.write(config('drainTimeout: 0.3\nlogLevel: debug\npidFile: one.pid'));
  expect((await runHere(() => run([...command, '--json']))).stdout).toBe('{\n  "kept": []\n}\n');
  expect(await running.ask({ command: 'log-level' })).toEqual({ ok: true, value: { level: 'warn' } });
});

test('TERM ends workers that keep connections too', async () => {
  const running = await up(FOUR('xyz'));
  const shell = await running.connect('shell');
  await shell.receive('>');
  running.write(FOUR('uvw'));
  expect(await running.reload()).toMatchObject({ ok: true });
  expect(await running.program.stop()).toBe(0);
});
