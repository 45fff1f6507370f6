// The limits of connections that the common options name.

import type { ServerLimits } from '../options.ts';
import type { CommonValues } from './common-values.ts';

/** Those that were given; what is left out keeps its default. */
export const limitsOf = ({
  connectionLimits,
  maxConnections,
  maxConnectionsPerAddress,
  maxRate,
  maxRatePerAddress,
  idleTimeoutMs,
}: CommonValues): Partial<ServerLimits> => ({
  ...connectionLimits,
  ...(maxConnections === undefined ? {} : { maxConnections }),
  ...(maxConnectionsPerAddress === undefined ? {} : { maxConnectionsPerAddress }),
  ...(maxRate === undefined ? {} : { maxAcceptsPerSecond: maxRate }),
  ...(maxRatePerAddress === undefined ? {} : { maxAcceptsPerSecondPerAddress: maxRatePerAddress }),
  ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
});
