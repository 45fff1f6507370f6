// Which commands may have their workers before anything else is loaded.

import { configFilesThere } from './config/config-names.ts';

// `exec` may have none.
const SERVERS: readonly string[] = ['http', 'ftp', 'telnet', 'echo'];

/** `up` takes their number from a configuration, where there is one. */
export const mayHaveFirstWorkers = (command: string | undefined): boolean =>
  command === 'up' ? configFilesThere().length === 0 : SERVERS.includes(command ?? '');
