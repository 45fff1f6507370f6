// `http-loop.mjs BINARY ROOT`: starts the compiled http-loop.c with the one file below ROOT, and tells its port and process.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const [, , binary, root] = process.argv;
const child = spawn(binary, [join(root, readdirSync(root)[0])], { stdio: ['ignore', 'pipe', 'inherit'] });
child.stdout.on('data', (text) => console.log(`${String(text).trim()} pid ${child.pid}`));
process.on('SIGTERM', () => {
  child.once('exit', () => process.exit(0));
  child.kill('SIGTERM');
});
