import { mkdtemp, readdir } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { Client } from 'basic-ftp';
import { expect, test } from 'vitest';
import { createFtpServer, diskFileSystem, memoryFileSystem } from '../src/index.ts';
import { openSession, until, withServer } from './ftp-session.ts';
test('stress', async () => {
  const root = await mkdtemp('/tmp/ftp-stress-');
  const server = createFtpServer({ fileSystem: diskFileSystem(root), accounts: [{ name: 'ann', password: 'secret', mayWrite: true }], listen: 'tcp://127.0.0.1:0' });
  const [b] = await server.listen();
  const port = Number(new URL(b!.url).port);
  let bad = 0;
  for (let i = 0; i < 150; i++) {
    const client = new Client(5000);
    await client.access({ host: '127.0.0.1', port, user: 'ann', password: 'secret' });
    const endless = new PassThrough();
    endless.write(Buffer.alloc(100_000));
    const upload = client.uploadFrom(endless, 'never' + i);
    upload.catch(() => undefined);
    await until(async () => (await readdir(root)).some((n) => n.endsWith('.part')), `begun ${i}`);
    client.close();
    await expect(upload).rejects.toThrow();
    await until(async () => (await readdir(root)).every((n) => !n.endsWith('.part')), `cleared ${i}`);
  }
  bad = (await readdir(root)).length;
  console.log('bad', bad, (await server.status()).services[0]?.connections);
  await server.close({ graceMs: 0 });
}, 50000);
test('stress2', async () => {
  const reports: string[] = [];
  await withServer({ fileSystem: memoryFileSystem(), onTransfer: (r) => reports.push(r.path + r.isComplete) }, async (url) => {
    for (let i = 0; i < 150; i++) for (const how of ['reset', 'gone', 'abor']) {
      const session = await openSession(url);
      const data = await session.openData();
      await session.say(`STOR ${how}${i}`);
      data.write('half');
      await until(async () => (await session.say('STAT')).includes(' 4 bytes so far'), 'arrived');
      if (how === 'reset') data.resetAndDestroy();
      if (how === 'gone') session.client.reset();
      if (how === 'abor') await session.say('ABOR');
      await until(() => reports.includes(`/${how}${i}false`), how + i);
      data.destroy(); session.client.reset();
    }
  });
}, 50000);
