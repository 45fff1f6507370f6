// What the command line says of data connections and of TLS.

import { fail, ok, type Result } from '@wellknown/core';
import { readChoice, readNumber, type OptionSpec, type OptionValues } from '@wellknown/core/cli';
import { CidrTable, isIpv4 } from '@wellknown/core/endpoint';
import type { PassivePorts } from './data-channel.ts';
import type { DataPeers } from './data-peers.ts';
import { invalidHost } from './passive-address.ts';
import type { FtpOptions } from './protocol.ts';
import { resolveIpv4 } from './resolve-ipv4.ts';

export const NETWORK_OPTIONS: readonly OptionSpec[] = [
  { name: 'passive-ports', argument: 'A-B', help: 'ports for passive data connections; default: any' },
  {
    name: 'passive-exposed-ports',
    argument: 'C-D',
    help: 'what clients are told for --passive-ports, where a NAT or a container maps them to others',
  },
  {
    name: 'passive-address',
    argument: '[CIDR=]HOST',
    repeatable: true,
    help: 'the IPv4 address that PASV names, or a name that has one; with CIDR= for clients of that network (default: the address that the client has reached)',
  },
  {
    name: 'passive-wait',
    argument: 'SECONDS',
    help: 'how long a session waits for a passive port when all are taken (default 3)',
  },
  {
    name: 'data-peers',
    argument: 'CIDR',
    repeatable: true,
    help: "from where data connections may come beside the client's address: ranges, such as those of a NAT, or 'any' (default: from nowhere else)",
  },
  { name: 'no-active', help: 'refuse PORT and EPRT' },
  {
    name: 'tls-mode',
    argument: 'MODE',
    help: 'explicit: clients may say AUTH TLS; required: they must before they log in, and data must be private too; implicit: tls:// listeners, by default on port 990 (default explicit, where there is a certificate)',
  },
  {
    name: 'tls-data',
    argument: 'RULE',
    help: 'optional or required: whether data connections must be private (default: required with --tls-mode required)',
  },
  {
    name: 'tls-session-reuse',
    argument: 'RULE',
    help: 'offer, or require: a private data connection must resume the TLS session of its control connection (default offer)',
  },
];

export const isImplicit = (values: OptionValues): boolean => values.text('tls-mode') === 'implicit';

type NetworkOptions = Pick<
  FtpOptions,
  'active' | 'passivePorts' | 'passiveAddress' | 'dataPeers' | 'requireTls' | 'tlsSessionReuse' | 'session'
>;

/** Names are resolved, so that a wrong one is told at the start. */
export async function readNetwork(values: OptionValues): Promise<Result<NetworkOptions, string>> {
  const passivePorts = readPorts(values);
  if (!passivePorts.ok) return passivePorts;
  const passiveAddress = await readAddresses(values.list('passive-address'));
  if (!passiveAddress.ok) return passiveAddress;
  const dataPeers = readPeers(values.list('data-peers'));
  if (!dataPeers.ok) return dataPeers;
  const waitSeconds = readNumber(values, 'passive-wait', { min: 0, max: 60 });
  if (!waitSeconds.ok) return waitSeconds;
  const security = readSecurity(values);
  if (!security.ok) return security;
  return ok({
    active: !values.has('no-active'),
    ...(passivePorts.value === undefined ? {} : { passivePorts: passivePorts.value }),
    ...(passiveAddress.value === undefined ? {} : { passiveAddress: passiveAddress.value }),
    ...(dataPeers.value === undefined ? {} : { dataPeers: dataPeers.value }),
    ...(waitSeconds.value === undefined ? {} : { session: { busyPortWaitMs: waitSeconds.value * 1000 } }),
    ...security.value,
  });
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function readRange(values: OptionValues, name: string): Result<Range | undefined, string> {
  const text = values.text(name);
  if (text === undefined) return ok(undefined);
  const [, from, to] = (/^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []).map(Number);
  if (from === undefined || to === undefined || from < 1 || to > 65_535 || from > to)
    return fail(`--${name} '${text}' is not of the form A-B with ports from 1 to 65535, the lower one first`);
  return ok({ from, to });
}

function readPorts(values: OptionValues): Result<PassivePorts | undefined, string> {
  const listened = readRange(values, 'passive-ports');
  if (!listened.ok) return listened;
  const exposed = readRange(values, 'passive-exposed-ports');
  if (!exposed.ok) return exposed;
  if (exposed.value === undefined) return listened;
  if (listened.value === undefined) return fail('--passive-exposed-ports needs --passive-ports');
  const { from, to } = listened.value;
  if (exposed.value.to - exposed.value.from !== to - from)
    return fail(
      `--passive-exposed-ports '${values.text('passive-exposed-ports') ?? ''}' must be as many ports as --passive-ports, ${to - from + 1}`,
    );
  return ok({ from, to, exposedFrom: exposed.value.from });
}

async function readAddresses(texts: readonly string[]): Promise<Result<FtpOptions['passiveAddress'], string>> {
  const byNetwork: Record<string, string> = {};
  let everywhere: string | undefined;
  for (const text of texts) {
    const [host = '', network] = text.split('=', 2).reverse();
    const problem = await addressProblem(host);
    if (problem !== undefined) return fail(`--passive-address '${text}' ${problem}`);
    if (network === undefined) {
      if (everywhere !== undefined) return fail(`--passive-address '${text}': '${everywhere}' was given before`);
      everywhere = host;
      continue;
    }
    const range = new CidrTable<true>().add(network, true);
    if (!range.ok) return fail(`--passive-address '${text}': ${range.error}`);
    if (Object.hasOwn(byNetwork, network)) return fail(`--passive-address '${text}': '${network}' was given before`);
    byNetwork[network] = host;
  }
  if (Object.keys(byNetwork).length === 0) return ok(everywhere);
  return ok(everywhere === undefined ? byNetwork : { '0.0.0.0/0': everywhere, '::/0': everywhere, ...byNetwork });
}

async function addressProblem(host: string): Promise<string | undefined> {
  if (isIpv4(host)) return undefined;
  if (invalidHost(host)) return 'is neither an IPv4 address nor a name that could have one';
  try {
    await resolveIpv4(host);
    return undefined;
  } catch {
    return 'is neither an IPv4 address nor a name that has one';
  }
}

function readPeers(texts: readonly string[]): Result<DataPeers | undefined, string> {
  if (texts.length === 0) return ok(undefined);
  if (texts.length === 1 && texts[0] === 'any') return ok('any');
  for (const text of texts) {
    const added = new CidrTable<true>().add(text, true);
    if (!added.ok) return fail(`--data-peers '${text}': ${added.error}; allowed is a range, or 'any' alone`);
  }
  return ok(texts);
}

function readSecurity(values: OptionValues): Result<Pick<FtpOptions, 'requireTls' | 'tlsSessionReuse'>, string> {
  const mode = readChoice(values, 'tls-mode', ['explicit', 'implicit', 'required']);
  if (!mode.ok) return mode;
  const data = readChoice(values, 'tls-data', ['optional', 'required']);
  if (!data.ok) return data;
  const reuse = readChoice(values, 'tls-session-reuse', ['offer', 'require']);
  if (!reuse.ok) return reuse;
  if (values.list('tls-cert').length === 0) {
    const useless = ['tls-mode', 'tls-data', 'tls-session-reuse'].find((name) => values.has(name));
    if (useless !== undefined) return fail(`--${useless} needs --tls-cert and --tls-key`);
  }
  const clear = mode.value === 'implicit' ? values.list('listen').find((text) => text.startsWith('tcp:')) : undefined;
  if (clear !== undefined)
    return fail(`--tls-mode implicit goes with tls:// listeners, '${clear}' begins in clear; 'required' is for both`);
  const control = mode.value === 'required' ? 'required' : 'optional';
  const requireTls =
    (data.value ?? control) === 'required' ? 'data' : control === 'required' ? ('control' as const) : ('none' as const);
  return ok({ requireTls, ...(reuse.value === undefined ? {} : { tlsSessionReuse: reuse.value }) });
}
