// The option that `up` and `check` have in common.

import type { OptionSpec } from '@wellknown/core/cli';

export const CONFIG_OPTION: OptionSpec = {
  name: 'config',
  argument: 'FILE',
  help: 'the configuration, .yaml, .toml, .json, .ts or .js (default: wellknown.config.* in the working directory, else in /etc/wellknown)',
};
