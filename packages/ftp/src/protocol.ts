import { randomBytes } from 'node:crypto';
import { defineProtocol, WellknownError, type BanPolicy, type Protocol } from '@wellknown/core';
import { isIpv4 } from '@wellknown/core/endpoint';
import { createControlConnection, type TransferReport } from './control-connection.ts';
import { createDataChannels } from './data-channel.ts';
import type { FileSystem } from './file-system.ts';
import { DEFAULT_MAX_LINE_BYTES } from './line-decoder.ts';
import { accountsAuthenticator, type Account } from './users/accounts.ts';
import type { Authenticate } from './users/login.ts';
import { encodeReply, REPLY, reply } from './replies.ts';

export interface FtpOptions {
  /** What anonymous users, and accounts without a file system of their own, see as `/`. */
  readonly fileSystem: FileSystem;
  /** Users with a name and a password. */
  readonly accounts?: readonly Account[];
  /** Whether `anonymous` may log in and read. By default only where there are neither accounts nor `authenticate`. */
  readonly anonymous?: boolean;
  /** Decides instead of `accounts` and `anonymous`. */
  readonly authenticate?: Authenticate;
  /** The text of the 220. It should not name versions. */
  readonly greeting?: string;
  /** The first and last port of passive connections; by default the system chooses. */
  readonly passivePorts?: { readonly from: number; readonly to: number };
  /** The IPv4 address that PASV names, for a server behind NAT. By default the one that the client has reached. */
  readonly passiveAddress?: string;
  /** PORT and EPRT. Switched off, a client that sends them is answered 502 and uses passive mode. */
  readonly active?: boolean;
  /** Limits of each session; what is left out keeps its default. */
  readonly session?: Partial<FtpLimits>;
  /** When an address is turned away because of failed logins, over all workers; `maxOffences: 0` for never. */
  readonly bans?: Partial<BanPolicy>;
  /** Called after every transfer; what it throws ends the session, so it should not. */
  readonly onTransfer?: (report: TransferReport) => void;
}

export interface FtpLimits {
  /** From the greeting to a login. */
  readonly loginTimeoutMs: number;
  /** Without a command and without a transfer. */
  readonly idleTimeoutMs: number;
  /** From PASV to the client's connection, and for ours in active mode. */
  readonly dataConnectTimeoutMs: number;
  /** Without a byte moving on a data connection. */
  readonly dataStallTimeoutMs: number;
  /** A longer command line is answered once with 500 and thrown away. */
  readonly maxLineBytes: number;
  /** Pipelined commands that wait decoded; behind them the connection is paused. */
  readonly maxQueuedCommands: number;
}

export const DEFAULT_FTP_LIMITS: FtpLimits = {
  // A person types a name and a password in this time; a port scanner holds nothing for longer.
  loginTimeoutMs: 60_000,
  // The least that RFC 1123 §4.1.3.2 allows.
  idleTimeoutMs: 300_000,
  // Clients connect at once; what takes longer is a firewall that drops silently.
  dataConnectTimeoutMs: 30_000,
  // A stalled line recovers within a few TCP retransmissions, the longest of which are two minutes apart.
  dataStallTimeoutMs: 120_000,
  maxLineBytes: DEFAULT_MAX_LINE_BYTES,
  // Clients pipeline a handful (lftp about ten).
  maxQueuedCommands: 32,
};

// A household or an office behind one address mistypes now and then; a guesser gets so many tries, then one a minute.
const DEFAULT_BANS: BanPolicy = { maxOffences: 20, forgetMs: 60_000, banMs: 600_000 };

/** The FTP protocol for core to serve. Throws OPTION_INVALID for options that cannot work. */
export function ftpProtocol(options: FtpOptions): Protocol {
  const { fileSystem, passiveAddress, passivePorts, active = true, onTransfer } = options;
  const limits = { ...DEFAULT_FTP_LIMITS, ...options.session };
  checkOptions(options);
  const anonymous = options.anonymous ?? (options.accounts === undefined || options.accounts.length === 0);
  const authenticate =
    options.authenticate ??
    accountsAuthenticator({
      accounts: options.accounts ?? [],
      anonymous: anonymous ? {} : undefined,
    });
  const greeting = options.greeting === undefined ? REPLY.greeting : reply(220, options.greeting);
  return defineProtocol({
    name: 'ftp',
    port: 21,
    open(connection, context) {
      const { clock, log } = context;
      if (connection.local.family === 'unix' || connection.remote.family === 'unix') {
        // There is no address for a data connection.
        connection.end(encodeReply(REPLY.onlyInternet), 'latin1', 'protocol-error');
        return { data: () => undefined };
      }
      if (context.bans.isBanned(connection.remote)) {
        connection.end(encodeReply(REPLY.banned), 'latin1', 'denied');
        return { data: () => undefined };
      }
      const channels = createDataChannels(connection, context.secondary, {
        passivePorts,
        connectTimeoutMs: limits.dataConnectTimeoutMs,
        stallTimeoutMs: limits.dataStallTimeoutMs,
        clock,
      });
      const session = {
        local: connection.local,
        remote: connection.remote,
        mayUseActive: active,
        passiveAddress,
        wallMs: () => clock.wallMs(),
        uniqueSuffix: () => randomBytes(6).toString('hex'),
      };
      return createControlConnection(
        connection,
        session,
        channels,
        { log, clock, bans: context.bans },
        { authenticate, fileSystem, greeting, onTransfer, ...limits },
      );
    },
    refusal: (reason) => encodeReply(reason === 'address-limit' ? REPLY.tooManyConnections : REPLY.serverBusy),
    limits: { idleTimeoutMs: limits.idleTimeoutMs },
    bans: { ...DEFAULT_BANS, ...options.bans },
  });
}

function checkOptions({ passiveAddress, passivePorts }: FtpOptions): void {
  if (passiveAddress !== undefined && !isIpv4(passiveAddress)) {
    throw new WellknownError('OPTION_INVALID', `passiveAddress is '${passiveAddress}', which is not an IPv4 address`, {
      fault: 'local',
    });
  }
  if (passivePorts === undefined) return;
  const { from, to } = passivePorts;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 1 || to > 65_535 || from > to) {
    throw new WellknownError(
      'OPTION_INVALID',
      `passivePorts is ${from}-${to}, expected two ports from 1 to 65535, the lower one first`,
      { fault: 'local' },
    );
  }
}
