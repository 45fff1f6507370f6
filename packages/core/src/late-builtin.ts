import type http from 'node:http';
import type http2 from 'node:http2';
import type zlib from 'node:zlib';

/** The modules of Node that cost a start and that many a process never needs, with what they load themselves. */
interface LateBuiltins {
  readonly 'node:http': typeof http;
  readonly 'node:http2': typeof http2;
  readonly 'node:zlib': typeof zlib;
}

/** A module of Node that is loaded when it is first used: gives a function that returns it. */
export function lateBuiltin<Name extends keyof LateBuiltins>(name: Name): () => LateBuiltins[Name] {
  let loaded: LateBuiltins[Name] | undefined;
  return () => (loaded ??= process.getBuiltinModule(name) as LateBuiltins[Name]);
}
