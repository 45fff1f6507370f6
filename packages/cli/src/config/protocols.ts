// What a service of a configuration may speak.

import { execServiceCommand, type ServerCommand } from '@wellknown/core/cli';
import { SERVER_COMMANDS } from '../server-commands.ts';

export const PROTOCOLS: readonly ServerCommand[] = [...SERVER_COMMANDS, execServiceCommand];

/** Of a protocol that a configuration was read with. */
export function commandOf(protocol: string): ServerCommand {
  const command = PROTOCOLS.find(({ name }) => name === protocol);
  if (command === undefined) throw new RangeError(`there is no protocol ${protocol}`);
  return command;
}
