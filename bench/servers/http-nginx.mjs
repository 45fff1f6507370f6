// Starts nginx in the foreground with one process and tells its port and that process. `http-nginx.mjs files ROOT`, or with one
// fixed answer (`hello`, `json`); a folder of `key.pem` and `cert.pem` behind them makes it TLS, with HTTP/2.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'wellknown-nginx-'));
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const free = probe.address().port;
    probe.close(() => resolve(free));
  });
});
const [, , what, root, certificates] = process.argv;
const ANSWERS = {
  hello: 'location / { return 200 "Hello, World!"; }',
  json: `location / { default_type application/json; return 200 '{"message":"Hello, World!"}'; }`,
};
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  .map((name) => `${name}_temp_path ${folder}/${name};`)
  .join(' ');
const tls =
  certificates === undefined
    ? ''
    : `ssl_certificate ${certificates}/cert.pem; ssl_certificate_key ${certificates}/key.pem;`;
writeFileSync(
  join(folder, 'nginx.conf'),
  `
daemon off; master_process off; worker_processes 1; error_log stderr crit; pid ${folder}/pid;
events { worker_connections 16384; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type text/plain; ${temporary}
  server { listen 127.0.0.1:${port}${tls && ' ssl http2'}; ${tls} ${what === 'files' ? `root ${root};` : ANSWERS[what]} } }
`,
);
const child = spawn('nginx', ['-c', join(folder, 'nginx.conf')], { stdio: 'inherit' });
const tell = () => {
  const attempt = connect(port, '127.0.0.1', () => {
    attempt.destroy();
    console.log(`port ${port} pid ${child.pid}`);
  });
  attempt.on('error', () => setTimeout(tell, 20));
};
tell();
process.on('SIGTERM', () => {
  child.once('exit', () => {
    rmSync(folder, { recursive: true });
    process.exit(0);
  });
  child.kill('SIGTERM');
});
