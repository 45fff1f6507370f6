// vsftpd, one process for each session; its anonymous user owns what it may change. Needs root.
// `node ftp-vsftpd.mjs ADDRESS ROOT [FOLDER OF key.pem AND cert.pem]`
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

const [address, root, certificates] = process.argv.slice(2);
const probe = net.createServer().listen(0, address);
await new Promise((resolve) => probe.once('listening', resolve));
const { port } = probe.address();
await new Promise((resolve) => probe.close(resolve));
chmodSync(root, 0o555);
spawnSync('chown', ['-R', 'ftp', path.join(root, 'in')]);
mkdirSync('/var/run/vsftpd/empty', { recursive: true });
const config = path.join(mkdtempSync(path.join(tmpdir(), 'bench-vsftpd-')), 'conf');
writeFileSync(
  config,
  Object.entries({
    listen: 'YES',
    listen_address: address,
    listen_port: port,
    background: 'NO',
    anonymous_enable: 'YES',
    no_anon_password: 'YES',
    anon_root: root,
    write_enable: 'YES',
    anon_upload_enable: 'YES',
    anon_other_write_enable: 'YES',
    anon_umask: '022',
    seccomp_sandbox: 'NO',
    use_sendfile: 'YES',
    // Otherwise the time of the process that transfers is nobody's once it has ended.
    one_process_model: 'YES',
    max_per_ip: 0,
    max_clients: 0,
    ...(certificates !== undefined && {
      ssl_enable: 'YES',
      allow_anon_ssl: 'YES',
      // The client that makes the load resumes no session.
      require_ssl_reuse: 'NO',
      rsa_cert_file: path.join(certificates, 'cert.pem'),
      rsa_private_key_file: path.join(certificates, 'key.pem'),
    }),
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join(''),
);
const child = spawn('vsftpd', [config], { stdio: ['ignore', 'ignore', 'inherit'] });
const attempt = () => {
  const socket = net.connect(port, address);
  socket.once('data', () => {
    socket.destroy();
    process.stdout.write(`port ${port} pid ${child.pid}\n`);
  });
  socket.once('error', () => setTimeout(attempt, 50));
};
attempt();
process.on('SIGTERM', () => {
  child.kill();
  process.exit();
});
