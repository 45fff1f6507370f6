import { expect, test } from 'vitest';
import { createServer, defineProtocol, silentLog, type Server, type ServerOptions } from '../../src/index.ts';
import { describeServerBehaviour, runProgram, type BehaviourSubject } from '../../src/testing/index.ts';
import { programArguments } from '../../../../test/programs.ts';

test('the suite runs under the test runner of Node, where a whole server passes', async () => {
  const { status, stdout } = await runProgram([
    '--test-reporter=tap',
    ...programArguments('packages/core/test/fixtures/node-test-program.ts'),
  ]);
  expect(stdout).toContain('# fail 0');
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(11);
  expect(status).toBe(0);
});

const parrot = defineProtocol({
  name: 'parrot',
  port: 0,
  async connection(peer) {
    for (let line = await peer.readLine(); line !== undefined; line = await peer.readLine())
      await peer.write(`${line}\n`);
  },
});

/** The cases of the suite by their names, to be run one at a time. */
function casesOf(
  create: (options: ServerOptions & { readonly listen: string }) => ReturnType<typeof createServer>,
): Map<string, () => Promise<void>> {
  const cases = new Map<string, () => Promise<void>>();
  const subject: BehaviourSubject = {
    name: 'parrot',
    create,
    async exchange(client) {
      client.send('a\n');
      await client.receive('a\n');
    },
    flood: 'flood\n',
  };
  describeServerBehaviour(subject, {
    describe: (_name, define) => define(),
    test: (name, run) => cases.set(name, run),
  });
  return cases;
}

const named = (cases: Map<string, () => Promise<void>>, part: string): (() => Promise<void>) =>
  [...cases].find(([name]) => name.includes(part))![1];

test('a server that keeps its promises only in part fails in that part', async () => {
  const cases = casesOf((options) => {
    const server = createServer(
      { protocol: parrot, listen: `unix:@wellknown-stubborn-${process.pid}` },
      { log: options.log ?? silentLog },
    );
    let listening: ReturnType<Server['listen']> | undefined;
    // It listens where it wants to, and as often as it is asked.
    return Object.assign(Object.create(server) as Server, { listen: () => (listening ??= server.listen()) });
  });
  await expect(named(cases, 'port 0 tells the real port')()).rejects.toThrow();
  await expect(named(cases, 'a second listen is refused')()).rejects.toThrow(/rejection/);
  await named(cases, 'closing with no grace')();
});
