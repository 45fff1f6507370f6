// What the control connections of one server share.

import type { AddressBans, Clock, Logger, SecondaryConnections } from '@wellknown/core';
import type { Charset } from './charset.ts';
import type { DataChannelOptions } from './data-channel.ts';
import type { FileSystem } from './file-system.ts';
import type { FtpHooks } from './hooks.ts';
import type { PassiveAddress } from './passive-address.ts';
import type { Reply } from './replies.ts';
import type { TransferReport } from './transfer-report.ts';
import type { UserSessions } from './user-sessions.ts';
import type { Authenticate } from './users/login.ts';

export interface ControlOptions {
  readonly log: Logger;
  readonly clock: Clock;
  readonly bans: AddressBans;
  readonly counters: Record<string, number>;
  readonly secondary: SecondaryConnections;
  readonly data: DataChannelOptions;
  readonly authenticate: Authenticate;
  readonly passiveAddress: PassiveAddress;
  /** For users who have none of their own. */
  readonly fileSystem: FileSystem;
  /** Gives a file system the deadlines of its answers. */
  readonly withDeadlines: (fileSystem: FileSystem) => FileSystem;
  readonly greeting: Reply;
  /** From the greeting to a successful login. */
  readonly loginTimeoutMs: number;
  /** Commands that wait decoded behind the one being worked on. */
  readonly maxQueuedCommands: number;
  readonly maxLineBytes: number;
  readonly onTransfer: ((report: TransferReport) => void) | undefined;
  readonly hooks: FtpHooks;
  readonly userSessions: UserSessions;
  readonly charset: Charset;
}
