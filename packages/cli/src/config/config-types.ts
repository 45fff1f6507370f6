// The types of a configuration. Generated from the tables of options: 'npx vitest run packages/cli/test/config/generated.test.ts -u'
// writes it again.

/** A value that does not stand in the file: a variable of the environment, or the contents of a file without its last line end. */
export type Secret = { readonly env: string } | { readonly file: string };
export type Text = string | Secret;
/** A number, or one with a unit: '90s', '10MiB'. */
export type Quantity = number | Text;
export type OneOrMore<Value> = Value | readonly Value[];

/** What every service takes but those that run programs. */
export interface EveryServer {
  /** certificate chain (PEM) of tls:// listeners, read again on HUP; of several, a client gets the one whose subjectAltName has the server name that it asks for, else the first */
  readonly tlsCert?: OneOrMore<Text>;
  /** its private key (PEM); of several, in the order of the certificates */
  readonly tlsKey?: OneOrMore<Text>;
  /** authorities (PEM) whose certificates clients have to show, read again on HUP (default: clients are not asked) */
  readonly tlsClientCa?: Text;
  /** require, or request: then clients without one are served too (default require) */
  readonly tlsClientCert?: Text;
  /** peers that must send a PROXY header (version 1 or 2) first; from others none is taken (default: none) */
  readonly proxyProtocol?: OneOrMore<Text>;
  /** who may connect; the most specific of allow and deny decides, and with any allow the rest may not (default: everyone may) */
  readonly allow?: OneOrMore<Text>;
  /** who may not connect */
  readonly deny?: OneOrMore<Text>;
  /** open at once over all workers, the next ones wait (default 10000) */
  readonly maxConnections?: Quantity;
  /** open at once for one address (IPv6: one /64) over all workers, the next one is turned away (default 1000) */
  readonly maxConnectionsPerIp?: Quantity;
  /** connections accepted in a second over all workers, the next ones wait (default: no limit) */
  readonly maxRate?: Quantity;
  /** connections of one address (IPv6: one /64) in a second over all workers, the next one is turned away (default: no limit) */
  readonly maxRatePerIp?: Quantity;
  /** without a byte in either direction for so long, a connection ends (default: per protocol) */
  readonly idleTimeout?: Quantity;
  /** a connection of this age ends, whatever it does (default: none does) */
  readonly lifetime?: Quantity;
  /** in which a TLS handshake must have ended (default 5) */
  readonly handshakeTimeout?: Quantity;
  /** in which a proxy must have sent its PROXY header (default 3) */
  readonly proxyTimeout?: Quantity;
  /** a peer that takes nothing of what was written for so long is cut off (default 30) */
  readonly writeTimeout?: Quantity;
  /** a peer that is silent for so long is asked whether it is there; 0: never (default 120) */
  readonly tcpKeepAlive?: Quantity;
  /** so many bytes in a second a peer must at least take of what waits, and send in the middle of a message, on average; 0: no matter (default 100) */
  readonly minRate?: Quantity;
}

export interface HttpService extends EveryServer {
  readonly protocol: 'http';
  /** the directory whose files are served (default: the current one) */
  readonly root?: Text;
  /** tcp://HOST:PORT, tls://HOST:PORT, unix:PATH, unix:@NAME, fd://N or systemd:NAME; an empty HOST is all addresses (default: the well-known port on 127.0.0.1) */
  readonly listen?: OneOrMore<Quantity>;
  /** serve a fetch handler instead: the default export of this module */
  readonly handler?: Text;
  /** leave Node's own Response, Request, Headers and fetch to the handler; ours, which are faster, replace them */
  readonly platformClasses?: boolean;
  /** answer a directory without index.html with 404 instead of a listing */
  readonly noListing?: boolean;
  /** answer a page that is not there with the root's index.html */
  readonly spa?: boolean;
  /** the Cache-Control of every file (default: no-cache) */
  readonly cacheControl?: Text;
  /** deny, inside (only those that end below ROOT) or follow (default: inside) */
  readonly symlinks?: Text;
  /** deny or allow names that start with a dot (default: deny) */
  readonly dotfiles?: Text;
  /** paths that match this regular expression never change and are cached for a year (default: none) */
  readonly immutable?: Text;
  /** paths that match are only ever appended to: one that grows while it is sent, such as a log, is sent as long as it was (default: none) */
  readonly appendOnly?: Text;
  /** do not send FILE.br, FILE.zst or FILE.gz in place of FILE to clients that take them */
  readonly noPrecompressed?: boolean;
  /** compress text on the fly by Brotli or gzip where there is no such file beside it (default: sent as it is) */
  readonly compress?: boolean;
  /** add 'NAME: VALUE' to every response, or as 'PATTERN NAME: VALUE' to those for paths that match this regular expression; without a value, take the field away */
  readonly header?: OneOrMore<Text>;
  /** add the usual ones: no sniffing, no frames of other sites, no use by them, short referrers, and HTTPS only after a visit over it */
  readonly securityHeaders?: boolean;
  /** answer this error with a file below ROOT, as in 404=/404.html */
  readonly errorPage?: OneOrMore<Text>;
  /** ask for a name and a password of this file (as 'htpasswd -B' makes it) before anything is served (default: nobody is asked) */
  readonly users?: Text;
  /** what a browser shows when it asks for the password (default: Restricted) */
  readonly realm?: Text;
  /** the most content that a request may bring, 0 for any amount (default: 1048576) */
  readonly maxBody?: Quantity;
  /** one line for each request in the combined format; - is stderr (default: none) */
  readonly accessLog?: Text;
  /** a proxy that is believed about the client, 'unix' for those on a unix socket (default: none) */
  readonly trustProxy?: OneOrMore<Text>;
  /** the field in which trusted proxies name the client: x-forwarded-for or forwarded (default: x-forwarded-for) */
  readonly forwarded?: Text;
  /** what a client means that ends its side before it has its response: answer (it has no more to ask) or abort (it is gone, as browsers are) (default: answer) */
  readonly halfClose?: Text;
  /** redirect clients without TLS to the same place over HTTPS on this port; ROOT or handler is for those with TLS */
  readonly redirectToHttps?: Quantity;
}

export interface FtpService extends EveryServer {
  readonly protocol: 'ftp';
  /** the directory to serve; default: the current one */
  readonly root?: Text;
  /** tcp://HOST:PORT, tls://HOST:PORT, fd://N or systemd:NAME; an empty HOST is all addresses (default: the well-known port on 127.0.0.1) */
  readonly listen?: OneOrMore<Quantity>;
  /** a user; HOME is a directory under ROOT that this user sees as / */
  readonly account?: OneOrMore<Text | { readonly name: Text; readonly password: Text; readonly home?: Text }>;
  /** the same with the password in an environment variable, where ps does not show it and it may hold a colon */
  readonly accountEnv?: OneOrMore<Text | { readonly name: Text; readonly variable: Text; readonly home?: Text }>;
  /** users with hashed passwords, as htpasswd writes them; a third field is a HOME and a fourth the rights; read again when it changes */
  readonly users?: Text;
  /** anonymous users may read; the default where there are no accounts */
  readonly anonymous?: boolean;
  /** accounts may change files; anonymous users never do */
  readonly write?: boolean;
  /** what accounts may do at PATH, as they see it, and below: none, read, full, create-only or drop-box */
  readonly rights?: OneOrMore<Text | { readonly path: Text; readonly rights: Text }>;
  /** failed logins after which an address is turned away for banTime, over all workers; one is forgotten each minute (default 20; 0: never) */
  readonly banAfter?: Quantity;
  /** default 600 */
  readonly banTime?: Quantity;
  /** a name of this server, by which clients ask for it with HOST or in the TLS handshake; HOME is what they then see as /, unless their account has its own; HOST with another name is refused (default: every name is the same) */
  readonly virtualHost?: OneOrMore<Text | { readonly name: Text; readonly home?: Text }>;
  /** atomic: under a hidden name until they are whole; in-place: in the file itself, where their beginning stays when they are cut (default atomic) */
  readonly uploads?: Text;
  /** permission bits that new files and directories do not get, in octal; default: the umask of the process */
  readonly umask?: Text;
  /** deny, inside: followed where they stay under ROOT, or follow (default inside) */
  readonly symlinks?: Text;
  /** run for each upload that was stored, with the path of its file as the argument and more in UPLOAD_… of the environment */
  readonly onUpload?: Text;
  /** the most that a HOME may hold, and ROOT for accounts without one; what is beyond it is answered 552 (default: no limit) */
  readonly quota?: Quantity;
  /** what TYPE A does to files: convert their line ends, ignore (move them as they are), or refuse to move them (default convert) */
  readonly ascii?: Text;
  /** ascii or image, until a client says TYPE; image is for devices that send files without it (default ascii) */
  readonly defaultType?: Text;
  /** do not offer HASH, XCRC, XMD5 and the like; anonymous users never have them */
  readonly noChecksums?: boolean;
  /** how names travel, for clients that know no UTF-8, such as gbk or windows-1251 (default utf-8) */
  readonly charset?: Text;
  /** the text of the 220 */
  readonly greeting?: Text;
  /** what one session moves in a second, in each direction (default: no limit) */
  readonly maxRatePerSession?: Quantity;
  /** what all sessions of one user move in a second, in each direction (default: no limit) */
  readonly maxRatePerUser?: Quantity;
  /** what the server moves in a second, in each direction (default: no limit) */
  readonly maxTransferRate?: Quantity;
  /** sessions of one user at the same time, the next one is refused (default: no limit) */
  readonly maxSessionsPerUser?: Quantity;
  /** from the greeting to a login (default 60) */
  readonly loginTimeout?: Quantity;
  /** a data connection on which nothing moves for so long is dropped (default 120) */
  readonly dataTimeout?: Quantity;
  /** from PASV to the client's data connection, and for ours in active mode (default 30) */
  readonly connectTimeout?: Quantity;
  /** a command whose disk does not answer for so long is answered 451 (default 240) */
  readonly storageTimeout?: Quantity;
  /** ports for passive data connections; default: any */
  readonly passivePorts?: Text;
  /** what clients are told for passivePorts, where a NAT or a container maps them to others */
  readonly passiveExposedPorts?: Text;
  /** the IPv4 address that PASV names, or a name that has one; with CIDR= for clients of that network (default: the address that the client has reached) */
  readonly passiveAddress?: OneOrMore<Text>;
  /** how long a session waits for a passive port when all are taken (default 3) */
  readonly passiveWait?: Quantity;
  /** from where data connections may come beside the client's address: ranges, such as those of a NAT, or 'any' (default: from nowhere else) */
  readonly dataPeers?: OneOrMore<Text>;
  /** refuse PORT and EPRT */
  readonly noActive?: boolean;
  /** explicit: clients may say AUTH TLS; required: they must before they log in, and data must be private too; implicit: tls:// listeners, by default on port 990 (default explicit, where there is a certificate) */
  readonly tlsMode?: Text;
  /** optional or required: whether data connections must be private (default: required with tlsMode required) */
  readonly tlsData?: Text;
  /** offer, or require: a private data connection must resume the TLS session of its control connection (default offer) */
  readonly tlsSessionReuse?: Text;
  /** a line for each transfer in the xferlog format, opened again on USR1; - is stderr (default: none) */
  readonly accessLog?: Text;
}

export interface TelnetService extends EveryServer {
  readonly protocol: 'telnet';
  /** tcp://HOST:PORT, tls://HOST:PORT, unix:PATH, unix:@NAME, fd://N or systemd:NAME; an empty HOST is all addresses (default: the well-known port on 127.0.0.1) */
  readonly listen?: OneOrMore<Quantity>;
  /** a module whose default export is async (session) => {}; default: the built-in demonstration */
  readonly handler?: Text;
  /** each session is a run of PROGRAM (a path, without arguments), on a pseudo-terminal where one can be had */
  readonly exec?: Text;
  /** each session is a login at this machine, by /bin/login; needs root */
  readonly login?: boolean;
  /** of the demonstration and of handler, how a session begins: 'line' (the client edits and sends lines), 'character' (it is asked for keys) or 'auto' (asked if it is a terminal); default auto for the demonstration, line for a handler */
  readonly mode?: Text;
  /** short for mode line */
  readonly lineMode?: boolean;
  /** records what each client is shown in a file of its own in DIR (asciicast 2), but for passwords that are asked for */
  readonly record?: Text;
}

export interface EchoService extends EveryServer {
  readonly protocol: 'echo';
  /** udp://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT, unix:PATH, unix:@NAME, fd://N or systemd:NAME; an empty HOST is all addresses (default: the well-known port on 127.0.0.1) */
  readonly listen?: OneOrMore<Quantity>;
  /** further small services, each on its own port: discard (9), daytime (13), chargen (19), time (37), stamp (862) */
  readonly also?: OneOrMore<Text>;
  /** datagrams from lower ports are dropped: services, not clients (default 1024) */
  readonly minSourcePort?: Quantity;
  /** datagrams a second that one source may have answered, in each worker (default 100) */
  readonly rate?: Quantity;
  /** the same for all sources together, over all workers (default 10000) */
  readonly totalRate?: Quantity;
  /** after so many answers to one source without a pause of a second one datagram is dropped, which ends loops; 0: never (default 10000) */
  readonly maxUnbroken?: Quantity;
  /** asked of the kernel for each socket, which grants at most net.core.rmem_max (default 1048576) */
  readonly receiveBuffer?: Quantity;
  /** longer ones are dropped, at most 65507 (default 1472, one Ethernet frame) */
  readonly maxDatagram?: Quantity;
}

export interface ExecService {
  readonly protocol: 'exec';
  /** tcp://HOST:PORT, unix:PATH, unix:@NAME, fd://N or systemd:NAME; an empty HOST is all addresses (default: the well-known port on 127.0.0.1) */
  readonly listen?: OneOrMore<Quantity>;
  /** a path, or a name that is looked up in PATH; no shell reads it */
  readonly program?: Text;
  /** its arguments */
  readonly args?: OneOrMore<Text>;
  /** programs that run at once, the next connection waits (default 40) */
  readonly maxConnections?: Quantity;
  /** of these for one address (IPv6: one /64), the next one is turned away (default: all of them) */
  readonly maxConnectionsPerIp?: Quantity;
  /** connections accepted in a second, the next ones wait (default: no limit) */
  readonly maxRate?: Quantity;
  /** connections of one address (IPv6: one /64) in a second, the next one is turned away (default: no limit) */
  readonly maxRatePerIp?: Quantity;
  /** who may connect; the most specific of allow and deny decides, and with any allow the rest may not (default: everyone may) */
  readonly allow?: OneOrMore<Text>;
  /** who may not connect */
  readonly deny?: OneOrMore<Text>;
}

export interface Config {
  /** What is served, by names of your choice. */
  readonly services: Readonly<Record<string, HttpService | FtpService | TelnetService | EchoService | ExecService>>;
  /** added to the well-known ports: 8000 gives 8080, 8021, 8023 and 8007 (default 0) */
  readonly portOffset?: Quantity;
  /** processes that serve: 'auto' (one for each available core), a number, or 0 for this process alone (default auto) */
  readonly workers?: Quantity;
  /** how workers accept: inherit-shared and inherit-sharded from sockets that the primary owns, inherit the better of these, dispatch from the primary, cluster-rr as node:cluster does (default inherit) */
  readonly accept?: Text;
  /** to which worker accept dispatch gives a connection: round-robin, least-connections or source-hash (default least-connections) */
  readonly dispatch?: Text;
  /** the serving processes become this user once the ports are bound */
  readonly runAs?: Text | { readonly user: Text; readonly group?: Text };
  /** certificate chain (PEM) of tls:// listeners, read again on HUP; of several, a client gets the one whose subjectAltName has the server name that it asks for, else the first */
  readonly tlsCert?: OneOrMore<Text>;
  /** its private key (PEM); of several, in the order of the certificates */
  readonly tlsKey?: OneOrMore<Text>;
  /** authorities (PEM) whose certificates clients have to show, read again on HUP (default: clients are not asked) */
  readonly tlsClientCa?: Text;
  /** require, or request: then clients without one are served too (default require) */
  readonly tlsClientCert?: Text;
  /** peers that must send a PROXY header (version 1 or 2) first; from others none is taken (default: none) */
  readonly proxyProtocol?: OneOrMore<Text>;
  /** who may connect; the most specific of allow and deny decides, and with any allow the rest may not (default: everyone may) */
  readonly allow?: OneOrMore<Text>;
  /** who may not connect */
  readonly deny?: OneOrMore<Text>;
  /** open at once over all workers, the next ones wait (default 10000) */
  readonly maxConnections?: Quantity;
  /** open at once for one address (IPv6: one /64) over all workers, the next one is turned away (default 1000) */
  readonly maxConnectionsPerIp?: Quantity;
  /** connections accepted in a second over all workers, the next ones wait (default: no limit) */
  readonly maxRate?: Quantity;
  /** connections of one address (IPv6: one /64) in a second over all workers, the next one is turned away (default: no limit) */
  readonly maxRatePerIp?: Quantity;
  /** a Redis through which machines share the limits for one address, and bans: redis://HOST:PORT, rediss://HOST:PORT or redis+socket:PATH (default: each machine counts for itself) */
  readonly limits?: Text;
  /** without a byte in either direction for so long, a connection ends (default: per protocol) */
  readonly idleTimeout?: Quantity;
  /** how long work in flight may take after TERM (default 30) */
  readonly drainTimeout?: Quantity;
  /** a worker that has accepted so many connections, less up to a tenth by chance, is replaced (default: never) */
  readonly maxServed?: Quantity;
  /** so is a worker of this age, less up to a tenth by chance (default: never) */
  readonly maxAge?: Quantity;
  /** a worker whose event loop says nothing for so long is killed and replaced (default 30) */
  readonly heartbeatTimeout?: Quantity;
  /** once it has been late for so long with saying, as it does each second, that it runs, another worker serves its new connections too (default 0.5) */
  readonly lateBeat?: Quantity;
  /** between how many spare workers, less than half busy, the pool is kept; workers is what it starts with, maxWorkers where it ends (default: the pool is fixed) */
  readonly spare?: Text;
  /** how many workers spare may start in all */
  readonly maxWorkers?: Quantity;
  /** a connection of this age ends, whatever it does (default: none does) */
  readonly lifetime?: Quantity;
  /** in which a TLS handshake must have ended (default 5) */
  readonly handshakeTimeout?: Quantity;
  /** in which a proxy must have sent its PROXY header (default 3) */
  readonly proxyTimeout?: Quantity;
  /** a peer that takes nothing of what was written for so long is cut off (default 30) */
  readonly writeTimeout?: Quantity;
  /** a peer that is silent for so long is asked whether it is there; 0: never (default 120) */
  readonly tcpKeepAlive?: Quantity;
  /** so many bytes in a second a peer must at least take of what waits, and send in the middle of a message, on average; 0: no matter (default 100) */
  readonly minRate?: Quantity;
  /** so many bytes slow readers may leave unsent in all, then the slowest are cut; 0: no matter (default: a quarter of the memory) */
  readonly maxUnsent?: Quantity;
  /** connections that the kernel queues before they are accepted (default 1024) */
  readonly backlog?: Quantity;
  /** the permissions of unix paths, in octal as in 0660 (default: what the umask leaves) */
  readonly unixMode?: Text;
  /** a unix socket (mode 0600) for status, reload, upgrade, scale, drain and stop */
  readonly control?: Text;
  /** a page to look at, /metrics, /healthz, /readyz and /status.json, on tcp://HOST:PORT or a port of 127.0.0.1; without a token for this machine only, and only to be read */
  readonly admin?: Quantity;
  /** holds the token that admin wants then: to read, to reload, to drain (default: WELLKNOWN_ADMIN_TOKEN) */
  readonly adminTokenFile?: Text;
  /** written by rename once ready, removed at the end */
  readonly pidFile?: Text;
  /** debug, info, warn or error (default info) */
  readonly logLevel?: Text;
  /** json or pretty, on stderr (default: pretty on a terminal, otherwise json) */
  readonly logFormat?: Text;
}
