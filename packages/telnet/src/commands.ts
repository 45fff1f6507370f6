// What a command of the client does to its session (RFC 854, RFC 1184). All of them act when they are parsed, ahead of
// the lines that wait to be read: that is what a Synch is for, and the only way to have it here, since the urgent
// notification itself does not reach a Node program.

import { TokenBucket, type Clock } from '@wellknown/core';
import type { CommandName } from './engine/codes.ts';
import { encodeCommand, encodeText } from './engine/encoder.ts';
import type { Input } from './input.ts';
import type { OutputQueue } from './output-queue.ts';
import type { Emit } from './session.ts';

export interface CommandParts {
  readonly clock: Clock;
  readonly input: Input;
  readonly output: OutputQueue;
  readonly emit: Emit;
}

export interface Commands {
  obey(name: CommandName): void;
  /** The user wants what runs to stop. */
  interrupt(key: 'IP' | 'ABORT'): void;
  /** Throws away what waits to be sent, and marks the place. */
  discardOutput(): void;
  /**
   * Tells the handler of an interrupt, once the chunk that had it is dealt with: BSD telnet sends a timing mark behind it
   * and throws away all output until that is answered, so the answer must go first. A chunk full of them is one.
   */
  chunkDone(): void;
}

// A person asks once; a peer that asks without end must not be answered without end.
const MAX_AYT_PER_SECOND = 10;

export function createCommands({ clock, input, output, emit }: CommandParts): Commands {
  const areYouThere = new TokenBucket({ perSecond: MAX_AYT_PER_SECOND }, clock.nowMs());
  let interrupted = false;

  const mark = (): void => output.push(encodeCommand('DM'), { keep: true });
  const interrupt = (key: 'IP' | 'ABORT'): void => {
    input.interrupt(key);
    if (output.discardText()) mark();
    interrupted = true;
  };
  const discardOutput = (): void => {
    output.discardText();
    mark();
  };

  return {
    interrupt,
    discardOutput,
    chunkDone() {
      if (!interrupted) return;
      interrupted = false;
      emit('interrupt', undefined);
    },
    obey(name) {
      switch (name) {
        case 'IP':
        case 'ABORT':
          interrupt(name);
          return;
        case 'BRK':
          if (!emit('break', undefined)) interrupt('IP');
          return;
        case 'AO':
          discardOutput();
          return;
        case 'AYT':
          if (!areYouThere.take(clock.nowMs()) || emit('ayt', undefined)) return;
          output.push(encodeText('\n[Yes]\n'));
          return;
        case 'SUSP':
          input.key('SUSP');
          emit('suspend', undefined);
          return;
        case 'EC':
        case 'EL':
        case 'EOF':
          input.key(name);
          return;
        case 'NOP':
        case 'DM':
        case 'GA':
        case 'EOR':
          return;
      }
    },
  };
}
