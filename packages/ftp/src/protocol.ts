import { randomBytes } from 'node:crypto';
import {
  defineProtocol,
  requireKnownNames,
  silentLog,
  systemClock,
  WellknownError,
  type BanPolicy,
  type Protocol,
  type ServiceContext,
} from '@wellknown/core';
import { SITE_WORDS } from './commands/site.ts';
import { FTP } from './description.ts';
import { ControlConnection } from './control-connection.ts';
import type { ControlOptions } from './control-options.ts';
import type { PassivePorts } from './data-channel.ts';
import { COUNTERS } from './counters.ts';
import { dataPeersOf, type DataPeers } from './data-peers.ts';
import type { FileSystem } from './file-system.ts';
import { DEFAULT_MAX_LINE_BYTES } from './line-decoder.ts';
import { passiveAddressOf, type PassiveAddressOption } from './passive-address.ts';
import type { FtpHooks } from './hooks.ts';
import { UTF8, type Charset } from './charset.ts';
import { storageDeadlines } from './storage/deadlines.ts';
import { UserSessions, type Rates } from './user-sessions.ts';
import type { SessionContext, SiteCommand } from './session-state.ts';
import type { TransferReport } from './transfer-report.ts';
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
  /** The ports of passive connections; by default the system chooses. */
  readonly passivePorts?: PassivePorts;
  /** From where data connections may come. Default `control`. */
  readonly dataPeers?: DataPeers;
  /** What PASV names, for a server behind NAT. By default the address that the client has reached. */
  readonly passiveAddress?: PassiveAddressOption;
  /** PORT and EPRT. Switched off, a client that sends them is answered 502 and uses passive mode. */
  readonly active?: boolean;
  /**
   * What has to be private. The certificate is the server's option `tls`: with one AUTH TLS is offered, and `tls://`
   * listeners begin with the handshake. `control`: nobody logs in in clear. `data`: no file and no listing travels in
   * clear either. Default: `none`.
   */
  readonly requireTls?: 'none' | 'control' | 'data';
  /**
   * `require`: a private data connection has to resume a TLS session of its control connection, which proves that it is
   * the same client's; some clients can't (curl, Python's ftplib). Default `offer`.
   */
  readonly tlsSessionReuse?: 'offer' | 'require';
  /**
   * What TYPE A does to files: `convert` (the default) gives them the line ends of the network and back, `ignore` moves
   * them as they are, `refuse` answers 550. Listings are text in any case.
   */
  readonly ascii?: 'convert' | 'ignore' | 'refuse';
  /** The type until a client says TYPE: `ascii` by RFC 959; `image` is for devices that send binary files and no TYPE. */
  readonly defaultType?: 'ascii' | 'image';
  /** HASH, XCRC, XMD5 and the like, for users who are not anonymous: each reads a whole file. Default true. */
  readonly checksums?: boolean;
  /**
   * What HOST may name (RFC 7151); by default anything. `authenticate` is told which it was, or what the handshake has
   * named (SNI).
   */
  readonly hosts?: readonly string[];
  /** SITE commands of your own, by their names in upper case. */
  readonly siteCommands?: Readonly<Record<string, SiteCommand>>;
  /** What a program is told of, and where it may refuse (hooks.ts). */
  readonly hooks?: FtpHooks;
  /** How names are written in bytes. By default UTF-8 (RFC 2640), in which other bytes get through as they are. */
  readonly charset?: Charset;
  /** The most that one session moves. */
  readonly sessionRates?: Rates;
  /** The most that all sessions of one user move together, and how many there may be, over all workers; a login's own go before. */
  readonly userLimits?: Rates & { readonly maxSessions?: number };
  /** The most that the whole server moves, over all workers; transfers that are under way at the same time share it. */
  readonly serverRates?: Rates;
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
  /** When all passive ports are taken, a session waits so long for one before 425. */
  readonly busyPortWaitMs: number;
  /** Without a byte moving on a data connection, while it is the client's turn: no disk and no rate is waited for. */
  readonly dataStallTimeoutMs: number;
  /**
   * For each answer of a file system: each call, each piece of a file, each portion of a listing. 0: no limit. What takes
   * longer is answered 451.
   */
  readonly storageTimeoutMs: number;
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
  // A port is taken from PASV to the client's connection: some round trips.
  busyPortWaitMs: 3_000,
  // A stalled line recovers within a few TCP retransmissions, the longest of which are two minutes apart.
  dataStallTimeoutMs: 120_000,
  // A network disk that was cut off is back by then, and a file of tens of GiB was copied, which a rename or a continued
  // upload may need. Less than the idle limit, whose 421 would come first.
  storageTimeoutMs: 240_000,
  maxLineBytes: DEFAULT_MAX_LINE_BYTES,
  // Clients pipeline a handful (lftp about ten).
  maxQueuedCommands: 32,
};

/** The FTP protocol for core to serve. Throws OPTION_INVALID for options that cannot work. */
export function ftpProtocol(options: FtpOptions): Protocol {
  const { fileSystem, passivePorts, active = true, onTransfer } = options;
  const { requireTls = 'none', tlsSessionReuse = 'offer', ascii = 'convert', defaultType = 'ascii' } = options;
  const { hooks = {}, charset = UTF8, checksums = true, siteCommands = {} } = options;
  const hosts = options.hosts?.map((name) => name.toLowerCase());
  requireKnownNames('session limit', options.session ?? {}, Object.keys(DEFAULT_FTP_LIMITS));
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
  const dataPeers = dataPeersOf(options.dataPeers ?? 'control');
  // Made with the first connection, which brings the context: a protocol may be served by more than one server.
  const known = new WeakMap<ServiceContext, Shared>();
  const sharedOf = (context: ServiceContext): Shared => {
    const { clock, log, bans, counters, places, secondary } = context;
    for (const name of COUNTERS) counters[name] ??= 0;
    const control: ControlOptions = {
      ...{ log, clock, bans, counters, secondary, fileSystem, authenticate, greeting, onTransfer, hooks, charset },
      withDeadlines: storageDeadlines(limits.storageTimeoutMs, clock),
      passiveAddress: passiveAddressOf(options.passiveAddress, clock, log),
      userSessions: new UserSessions(
        { session: options.sessionRates ?? {}, user: options.userLimits ?? {}, server: options.serverRates ?? {} },
        clock,
        places,
      ),
      data: {
        ...{ passivePorts, dataPeers, tlsSessionReuse, clock, log },
        busyPortWaitMs: limits.busyPortWaitMs,
        connectTimeoutMs: limits.dataConnectTimeoutMs,
        stallTimeoutMs: limits.dataStallTimeoutMs,
      },
      loginTimeoutMs: limits.loginTimeoutMs,
      maxQueuedCommands: limits.maxQueuedCommands,
      maxLineBytes: limits.maxLineBytes,
    };
    const shared = { control, wallMs: (): number => clock.wallMs() };
    known.set(context, shared);
    return shared;
  };
  return defineProtocol({
    ...FTP,
    open(connection, context) {
      const { log } = context;
      if (connection.local.family === 'unix' || connection.remote.family === 'unix') {
        // There is no address for a data connection.
        connection.end(encodeReply(REPLY.onlyInternet), 'latin1', 'protocol-error');
        return { data: () => undefined };
      }
      if (context.bans.isBanned(connection.remote)) {
        connection.end(encodeReply(REPLY.banned), 'latin1', 'denied');
        return { data: () => undefined };
      }
      const { control, wallMs } = known.get(context) ?? sharedOf(context);
      const { secure } = connection;
      if (secure !== undefined)
        log.info(
          { connection: connection.id, remote: connection.remote, tls: secure.protocol, cipher: secure.cipher },
          'the control connection is private',
        );
      const { local, remote } = connection;
      const session: SessionContext = {
        local,
        remote,
        mayUseActive: active,
        hasTls: context.hasTls,
        requireTls,
        ascii,
        defaultType,
        fileSystem,
        checksums,
        hosts,
        greeting,
        siteCommands,
        wallMs,
        uniqueSuffix,
      };
      return new ControlConnection(connection, session, control);
    },
    limits: { idleTimeoutMs: limits.idleTimeoutMs },
    bans: { ...FTP.bans, ...options.bans },
  });
}

interface Shared {
  readonly control: ControlOptions;
  readonly wallMs: () => number;
}

function checkOptions({ passiveAddress, passivePorts, siteCommands = {} }: FtpOptions): void {
  for (const word of Object.keys(siteCommands))
    if (!/^[A-Z][A-Z0-9]{0,15}$/.test(word) || SITE_WORDS.includes(word))
      throw new WellknownError(
        'OPTION_INVALID',
        `siteCommands has '${word}', allowed is up to 16 letters in upper case, and none of ${SITE_WORDS.join(', ')}`,
        { fault: 'local' },
      );
  passiveAddressOf(passiveAddress, systemClock, silentLog);
  if (passivePorts === undefined) return;
  const { from, to, exposedFrom } = passivePorts;
  if (!isPort(from) || !isPort(to) || from > to)
    throw new WellknownError(
      'OPTION_INVALID',
      `passivePorts is ${from}-${to}, expected two ports from 1 to 65535, the lower one first`,
      { fault: 'local' },
    );
  if (exposedFrom !== undefined && (!isPort(exposedFrom) || !isPort(exposedFrom + to - from)))
    throw new WellknownError(
      'OPTION_INVALID',
      `passivePorts.exposedFrom is ${exposedFrom}, expected a port from which ${to - from} more follow`,
      { fault: 'local' },
    );
}

const uniqueSuffix = (): string => randomBytes(6).toString('hex');

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;
