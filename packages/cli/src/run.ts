// The program `wellknown`: finds the command, and runs it.

import { releaseSignals } from '@wellknown/core/early-signals';
import { COMMAND_NAMES, COMMANDS } from './commands.ts';

const VERSION: readonly string[] = ['--version', '-V', '-v', 'version'];

/** Runs the command line until its server ends, and sets the exit status. */
export async function run(argv: readonly string[]): Promise<void> {
  const [name, ...rest] = argv;
  // All that follows needs this package anyway.
  const { surviveClosedOutput, nearestName, usageError, version } = await import('@wellknown/core/cli');
  surviveClosedOutput();
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) {
    if (command.kind !== 'server') releaseSignals();
    await command.run(rest);
    return;
  }
  releaseSignals();
  const { helpOfProgram } = await import('./program-help.ts');
  if (name === undefined) usageError('wellknown', `a command is missing\n\n${helpOfProgram()}`);
  else if (name === '--help' || name === '-h' || name === 'help') await help(rest);
  else if (VERSION.includes(name)) process.stdout.write(`wellknown ${version()}\n`);
  else {
    const near = nearestName(name, COMMAND_NAMES);
    const meant = near === undefined ? '' : `; meant may be '${near}'`;
    const what = name.startsWith('-') ? `a command goes before '${name}'` : `unknown command '${name}'`;
    usageError('wellknown', `${what}, allowed are ${COMMAND_NAMES.join(', ')}; see --help${meant}`);
  }
}

/** `help`, `help COMMAND`, `help COMMAND all`, `help TOPIC`. */
async function help([topic, ...rest]: readonly string[]): Promise<void> {
  const [{ helpText, nearestName, usageError }, { helpOfProgram }, { topicText, TOPIC_NAMES }] = await Promise.all([
    import('@wellknown/core/cli'),
    import('./program-help.ts'),
    import('./topics.ts'),
  ]);
  const command = COMMANDS.find(({ name }) => name === topic);
  const text =
    topic === undefined || topic === 'all' || topic.startsWith('-')
      ? helpOfProgram()
      : command === undefined
        ? topicText(topic)
        : helpText(await command.help(), rest.includes('all'));
  if (text !== undefined) {
    process.stdout.write(text);
    return;
  }
  const topics = [...COMMAND_NAMES, ...TOPIC_NAMES];
  const near = nearestName(topic ?? '', topics);
  usageError(
    'wellknown help',
    `there is no help about '${topic ?? ''}', there is about ${topics.join(', ')}${near === undefined ? '' : `; meant may be '${near}'`}`,
  );
}
