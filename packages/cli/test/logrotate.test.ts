// Rotation by the logrotate of the system, while requests run: every line is in one of the files, once and whole.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { eventually, lacks, startProgram } from '@wellknown/core/testing';
import { expect, onTestFinished, test } from 'vitest';
import { programArguments, ROOT } from '../../../test/programs.ts';

const WELLKNOWN = programArguments('packages/cli/src/main.ts');

test.skipIf(lacks('logrotate')).each([0, 2])(
  'no line of an access log is lost by logrotate and USR1, with %d workers',
  async (workers) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wellknown-logrotate-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [log, pidFile, config] = ['access.log', 'pid', 'logrotate.conf'].map((name) => path.join(folder, name));
    const program = await startProgram([
      ...[...WELLKNOWN, 'http', folder, '--listen', 'tcp://127.0.0.1:0', '--workers', String(workers)],
      ...['--access-log', log ?? '', '--pid-file', pidFile ?? ''],
    ]);
    onTestFinished(async () => {
      await program.stop();
    });
    // As deploy/ has it, of this test's files and without systemd.
    const given = readFileSync(path.join(ROOT, 'deploy/logrotate/wellknown'), 'utf8');
    const ours = given
      .replace('/var/log/wellknown/*.log', log ?? '')
      .replace(/^ *systemctl kill .*$/m, `kill -USR1 $(cat ${pidFile ?? ''})`);
    writeFileSync(config ?? '', ours, { mode: 0o600 });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    onTestFinished(() => agent.destroy());
    const url = (program.endpoints.http?.[0] ?? '').replace('tcp:', 'http:');
    const ask = (name: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        http
          .get(`${url}/${name}`, { agent }, (response) => response.resume().once('end', resolve))
          .once('error', reject);
      });
    let isOver = false;
    let asked = 0;
    const clients = Array.from({ length: 4 }, async () => {
      while (!isOver) await ask(`request-${(asked += 1)}`);
    });
    for (let rotations = 0; rotations < 5; rotations += 1) {
      // An empty file is not rotated.
      await eventually(() => (statSync(log ?? '', { throwIfNoEntry: false })?.size ?? 0) > 0);
      const { status, stderr } = spawnSync('logrotate', ['--force', '--state', `${folder}/state`, config ?? ''], {
        encoding: 'utf8',
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    }
    isOver = true;
    await Promise.all(clients);
    program.signal('SIGTERM');
    expect(await program.exited).toBe(0);
    const files = readdirSync(folder).filter((name) => name.startsWith('access.log'));
    expect(files.length).toBeGreaterThan(3);
    const contentOf = (name: string): string => {
      const bytes = readFileSync(path.join(folder, name));
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    };
    const lines = files.flatMap((name) => contentOf(name).split('\n').slice(0, -1));
    const numbers = lines.map((line) => Number(/ "GET \/request-(\d+) HTTP\/1\.1" 404 /.exec(line)?.[1]));
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: asked }, (_, index) => index + 1));
  },
);
