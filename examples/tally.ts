// A protocol of lines: `+ 3`, `- 1`, `total`, `quit`. It keeps a total for each connection. docs/writing-a-protocol.md
// walks through it.
import { defineProtocol, fail, ok, type Result } from '@wellknown/core';

export type Command =
  { readonly verb: 'add'; readonly amount: number } | { readonly verb: 'total' } | { readonly verb: 'quit' };

/** Parse: one line to a command, or to the sentence that refuses it. */
export function parseCommand(line: string): Result<Command, string> {
  if (line === 'total' || line === 'quit') return ok({ verb: line });
  const match = /^([+-]) (\d{1,6})$/.exec(line);
  if (match === null) return fail("expected '+ N', '- N', 'total' or 'quit'; N has at most six digits");
  return ok({ verb: 'add', amount: Number(match[2]) * (match[1] === '+' ? 1 : -1) });
}

export type State = { readonly at: 'counting'; readonly total: number } | { readonly at: 'over' };
export interface Outcome {
  readonly state: State;
  readonly answer: string;
}
export const FRESH: State = { at: 'counting', total: 0 };

// Within this, sums of six digits stay exact and short.
export const MAX_TOTAL = 1_000_000_000;

/** Decide: what a command does to the state, and what is said. */
export function decide(state: State, command: Command): Outcome {
  if (state.at === 'over' || command.verb === 'quit') return { state: { at: 'over' }, answer: 'bye' };
  if (command.verb === 'total') return { state, answer: `= ${state.total}` };
  const total = state.total + command.amount;
  if (Math.abs(total) > MAX_TOTAL) return { state, answer: `! more than ${MAX_TOTAL}` };
  return { state: { at: 'counting', total }, answer: `= ${total}` };
}

/** Carry: lines in, answers out. */
export const tally = defineProtocol({
  name: 'tally',
  port: 8096,
  limits: { idleTimeoutMs: 60_000 },
  refusal: () => '! too many connections\r\n',
  async connection(peer) {
    for (let state: State = FRESH; state.at !== 'over';) {
      const line = await peer.readLine({ maxLineBytes: 64 });
      if (line === undefined) return;
      const command = parseCommand(line);
      const outcome: Outcome = command.ok ? decide(state, command.value) : { state, answer: `! ${command.error}` };
      state = outcome.state;
      await peer.write(`${outcome.answer}\r\n`);
    }
  },
});
