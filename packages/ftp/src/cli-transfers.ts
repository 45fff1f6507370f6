// What the command line says of transfers: types, rates, limits of sessions and users, names in bytes.

import { fail, ok, type Result } from '@wellknown/core';
import { readChoice, readNumber, type OptionSpec, type OptionValues } from '@wellknown/core/cli';
import { UTF8 } from './charset.ts';
import { legacyCharset } from './legacy-charset.ts';
import type { FtpLimits, FtpOptions } from './protocol.ts';

export const TRANSFER_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'ascii',
    argument: 'WHAT',
    help: 'what TYPE A does to files: convert their line ends, ignore (move them as they are), or refuse to move them (default convert)',
  },
  {
    name: 'default-type',
    argument: 'TYPE',
    help: 'ascii or image, until a client says TYPE; image is for devices that send files without it (default ascii)',
  },
  { name: 'no-checksums', help: 'do not offer HASH, XCRC, XMD5 and the like; anonymous users never have them' },
  {
    name: 'charset',
    argument: 'NAME',
    help: 'how names travel, for clients that know no UTF-8, such as gbk or windows-1251 (default utf-8)',
  },
  { name: 'greeting', argument: 'TEXT', help: 'the text of the 220' },
  {
    name: 'max-rate-per-session',
    argument: 'BYTES',
    help: 'what one session moves in a second, in each direction (default: no limit)',
  },
  {
    name: 'max-rate-per-user',
    argument: 'BYTES',
    help: 'what all sessions of one user move in a second, in each direction (default: no limit)',
  },
  {
    name: 'max-transfer-rate',
    argument: 'BYTES',
    help: 'what the server moves in a second, in each direction (default: no limit)',
  },
  {
    name: 'max-sessions-per-user',
    argument: 'N',
    help: 'sessions of one user at the same time, the next one is refused (default: no limit)',
  },
  {
    name: 'login-timeout',
    argument: 'SECONDS',
    help: 'from the greeting to a login (default 60)',
  },
  {
    name: 'data-timeout',
    argument: 'SECONDS',
    help: 'a data connection on which nothing moves for so long is dropped (default 120)',
  },
  {
    name: 'connect-timeout',
    argument: 'SECONDS',
    help: "from PASV to the client's data connection, and for ours in active mode (default 30)",
  },
  {
    name: 'storage-timeout',
    argument: 'SECONDS',
    help: 'a command whose disk does not answer for so long is answered 451 (default 240)',
  },
];

type TransferOptions = Pick<
  FtpOptions,
  | 'ascii'
  | 'defaultType'
  | 'checksums'
  | 'charset'
  | 'greeting'
  | 'sessionRates'
  | 'userLimits'
  | 'serverRates'
  | 'session'
>;

export async function readTransfers(values: OptionValues): Promise<Result<TransferOptions, string>> {
  const ascii = readChoice(values, 'ascii', ['convert', 'ignore', 'refuse']);
  if (!ascii.ok) return ascii;
  const defaultType = readChoice(values, 'default-type', ['ascii', 'image']);
  if (!defaultType.ok) return defaultType;
  const numbers = readNumbers(values);
  if (!numbers.ok) return numbers;
  const { session, user, server, maxSessions, limits } = numbers.value;
  const charsetName = values.text('charset');
  const isUtf8 = charsetName === undefined || /^utf-?8$/i.test(charsetName);
  const charset = isUtf8 ? UTF8 : await legacyCharset(charsetName);
  if (charset === undefined)
    return fail(
      `--charset '${charsetName ?? ''}' is not known, or no superset of ASCII; allowed is gbk, shift_jis, windows-1251 and the like`,
    );
  const greeting = values.text('greeting');
  return ok({
    checksums: !values.has('no-checksums'),
    ...(ascii.value === undefined ? {} : { ascii: ascii.value }),
    ...(defaultType.value === undefined ? {} : { defaultType: defaultType.value }),
    charset,
    ...(greeting === undefined ? {} : { greeting }),
    sessionRates: ratesOf(session),
    userLimits: { ...ratesOf(user), ...(maxSessions === undefined ? {} : { maxSessions }) },
    serverRates: ratesOf(server),
    session: limits,
  });
}

interface Numbers {
  readonly session: number | undefined;
  readonly user: number | undefined;
  readonly server: number | undefined;
  readonly maxSessions: number | undefined;
  readonly limits: Partial<FtpLimits>;
}

function readNumbers(values: OptionValues): Result<Numbers, string> {
  const read: Record<string, number | undefined> = {};
  for (const [name, min] of [
    ['max-rate-per-session', 1],
    ['max-rate-per-user', 1],
    ['max-transfer-rate', 1],
    ['max-sessions-per-user', 1],
    ['login-timeout', 1],
    ['data-timeout', 1],
    ['connect-timeout', 1],
    ['storage-timeout', 1],
  ] as const) {
    const number = readNumber(values, name, { whole: true, min });
    if (!number.ok) return number;
    read[name] = number.value;
  }
  const milliseconds = (name: string, limit: keyof FtpLimits): Partial<FtpLimits> =>
    read[name] === undefined ? {} : { [limit]: read[name] * 1000 };
  return ok({
    session: read['max-rate-per-session'],
    user: read['max-rate-per-user'],
    server: read['max-transfer-rate'],
    maxSessions: read['max-sessions-per-user'],
    limits: {
      ...milliseconds('login-timeout', 'loginTimeoutMs'),
      ...milliseconds('data-timeout', 'dataStallTimeoutMs'),
      ...milliseconds('connect-timeout', 'dataConnectTimeoutMs'),
      ...milliseconds('storage-timeout', 'storageTimeoutMs'),
    },
  });
}

const ratesOf = (
  bytesPerSecond: number | undefined,
): { downloadBytesPerSecond?: number; uploadBytesPerSecond?: number } =>
  bytesPerSecond === undefined ? {} : { downloadBytesPerSecond: bytesPerSecond, uploadBytesPerSecond: bytesPerSecond };
