export { redisLimits } from './redis-limits.ts';
export type { RedisLimitsOptions } from './connection-options.ts';
