// Asks a session for decisions without any carrier: a state and a line in, what is to be done out.

import { expect } from 'vitest';
import { memoryFileSystem } from '../src/storage/memory-file-system.ts';
import type { Effect, Outcome } from '../src/effects.ts';
import { reply } from '../src/replies.ts';
import { step } from '../src/session.ts';
import { type Ready, type SessionContext, type SessionState } from '../src/session-state.ts';
import { openLogin } from '../src/users/login.ts';
import { ALL_FACTS } from '../src/listing/format.ts';

export const session: SessionContext = {
  local: { family: 'ipv4', address: '192.0.2.1', port: 21 },
  remote: { family: 'ipv4', address: '192.0.2.9', port: 40_000 },
  mayUseActive: true,
  hasTls: true,
  requireTls: 'none',
  ascii: 'convert',
  defaultType: 'ascii',
  fileSystem: memoryFileSystem(),
  checksums: true,
  hosts: undefined,
  greeting: reply(220, 'Welcome.'),
  siteCommands: {},
  wallMs: () => Date.UTC(2026, 0, 1),
  uniqueSuffix: () => 'abc',
};
const quiet = { transferBytes: undefined, hasAborted: false };

export const ready = (mayWrite: boolean, more: Partial<Ready> = {}): Ready => ({
  at: 'ready',
  login: openLogin(
    { rights: mayWrite ? 'full' : 'read' },
    { user: 'ann', remote: session.remote, secure: false },
    memoryFileSystem(),
  ),
  cwd: '/',
  type: 'image',
  structure: 'file',
  host: undefined,
  expectedBytes: undefined,
  umask: undefined,
  hashAlgorithm: 'sha256',
  protection: { control: 'clear', hasBufferSize: false, data: 'clear', host: undefined },
  data: { how: 'none' },
  onlyExtendedPassive: false,
  restartBytes: 0,
  renameFrom: undefined,
  facts: ALL_FACTS,
  ...more,
});

export const say = (state: SessionState, line: string, where: Partial<SessionContext> = {}): Outcome => {
  const [verb = '', ...rest] = line.split(' ');
  return step(state, { verb, argument: rest.join(' ') }, { ...session, ...where }, quiet);
};
export const codeOf = (outcome: Outcome): number | undefined => outcome.reply?.code;
export const effectOf = <Type extends Effect['type']>(
  outcome: Outcome,
  type: Type,
): Extract<Effect, { type: Type }> => {
  expect(outcome.effect?.type).toBe(type);
  return outcome.effect as Extract<Effect, { type: Type }>;
};
