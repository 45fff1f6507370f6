// Options that several commands of `wellknown` have.

import type { OptionSpec } from '@wellknown/core/cli';

export const CONFIG_OPTION: OptionSpec = {
  name: 'config',
  argument: 'FILE',
  help: 'the configuration, .yaml, .toml, .json, .ts or .js (default: wellknown.config.* in the working directory, else in /etc/wellknown)',
};

export const CONTROL_OPTION: OptionSpec = {
  name: 'control',
  argument: 'PATH',
  help: 'the control socket of the supervisor (default: the one of `wellknown up`)',
};

export const JSON_OPTION: OptionSpec = { name: 'json', help: 'the answer as one JSON value' };
