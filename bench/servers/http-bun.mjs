// Under Node it starts itself again under Bun (argv[2] is its binary), and tells the port and the process of that.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

if (process.versions.bun === undefined) {
  const [, , binary, ...rest] = process.argv;
  const child = spawn(binary, [fileURLToPath(import.meta.url), ...rest], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.on('data', (text) => console.log(`${String(text).trim()} pid ${child.pid}`));
  process.on('SIGTERM', () => {
    child.once('exit', () => process.exit(0));
    child.kill('SIGKILL');
  });
} else {
  const { handlers } = await import('../handlers/fetch.mjs');
  const server = globalThis.Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: handlers[process.argv[2]] });
  console.log(`port ${server.port}`);
}
