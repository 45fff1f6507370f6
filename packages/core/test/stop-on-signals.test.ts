import { afterEach, expect, test } from 'vitest';
import { stopOnSignals, type Server, type StopOnSignals } from '../src/index.ts';

let stopping: StopOnSignals | undefined;
afterEach(() => stopping?.[Symbol.dispose]());

/** A server that writes down how it is asked to close. */
function watched(role: Server['role'] = 'standalone') {
  const closes: object[] = [];
  const server = { role, close: (options: object = {}) => Promise.resolve(void closes.push(options)) };
  stopping = stopOnSignals(server);
  return { closes, stopping };
}
// To the listeners of this process only: a real signal would also reach those of the test runner.
const signal = (name: 'SIGTERM' | 'SIGINT' | 'SIGQUIT'): boolean => process.emit(name, name);

test.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)('%s drains, with the time that the server has for it', (name) => {
  const { closes, stopping } = watched();
  expect(stopping.wasAsked).toBe(false);
  signal(name);
  expect(closes).toEqual([{}]);
  expect(stopping.wasAsked).toBe(true);
});

test.each([
  ['SIGINT', { graceMs: 0 }],
  ['SIGQUIT', { graceMs: 0 }],
  ['SIGTERM', {}],
] as const)('%s after another one', (name, second) => {
  const { closes } = watched();
  signal('SIGTERM');
  signal(name);
  expect(closes).toEqual([{}, second]);
});

test('a worker listens to its primary, not to signals', () => {
  const before = process.listenerCount('SIGINT');
  watched('worker');
  expect(process.listenerCount('SIGINT')).toBe(before);
});

test('disposing takes the listeners off', () => {
  const before = process.listenerCount('SIGTERM');
  const { stopping } = watched();
  expect(process.listenerCount('SIGTERM')).toBe(before + 1);
  stopping[Symbol.dispose]();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
