// The libraries for text beyond ASCII, loaded when a session first has some: their tables are half of a megabyte, which a
// start would pay for and most servers never use.

import { createRequire } from 'node:module';
import type anyAscii from 'any-ascii';
import type iconv from 'iconv-lite';
import type stringWidth from 'string-width';

interface Libraries {
  readonly anyAscii: typeof anyAscii;
  readonly iconv: typeof iconv;
  readonly stringWidth: typeof stringWidth;
}

interface Module<Value> {
  readonly default: Value;
}

const require = createRequire(import.meta.url);
const loaded: { -readonly [Name in keyof Libraries]?: Libraries[Name] } = {};

export const textLibraries: Libraries = {
  get anyAscii() {
    return (loaded.anyAscii ??= (require('any-ascii') as Module<typeof anyAscii>).default);
  },
  get iconv() {
    return (loaded.iconv ??= require('iconv-lite') as typeof iconv);
  },
  get stringWidth() {
    return (loaded.stringWidth ??= (require('string-width') as Module<typeof stringWidth>).default);
  },
};
