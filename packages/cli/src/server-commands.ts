// The commands that are one server each; every one is also a program of its own package.

import type { ServerCommand } from '@wellknown/core/cli';
import { echoCommand } from '@wellknown/echo-udp';
import { ftpCommand } from '@wellknown/ftp';
import { httpCommand } from '@wellknown/http';
import { telnetCommand } from '@wellknown/telnet';

export const SERVER_COMMANDS: readonly ServerCommand[] = [httpCommand, ftpCommand, telnetCommand, echoCommand];
