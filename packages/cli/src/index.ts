export { run } from './run.ts';
export { defineConfig } from './config/define-config.ts';
export type * from './config/config-types.ts';
