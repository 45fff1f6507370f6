// Every example runs, and what the READMEs show is what runs.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serve } from '@wellknown/core';
import { connectClient, startProgram } from '@wellknown/core/testing';
import { expect, test } from 'vitest';
import { daytime } from '../daytime.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const readText = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

test('daytime tells the time and hangs up, in this process', async () => {
  const server = await serve(daytime, { listen: 'tcp://127.0.0.1:0' });
  const [service] = (await server.status()).services;
  const client = await connectClient(service?.endpoints[0] ?? '');
  expect(await client.receiveAll()).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z\r\n$/);
  client.end();
  await server.close();
});

test('daytime serves from worker processes, as its head says', async () => {
  const endpoint = 'unix:@wellknown-example-daytime';
  const program = await startProgram(['--conditions=@wellknown/source', '--import', 'tsx', fileURLToPath(new URL('../daytime.ts', import.meta.url)), endpoint], { cwd: ROOT });
  const client = await connectClient(endpoint);
  expect(await client.receiveAll()).toMatch(/Z\r\n$/);
  client.end();
  await program.stop();
});

test.each([['README.md', 'daytime.ts'], ['packages/core/README.md', 'daytime.ts']])('%s shows %s as it is', (readme, example) => {
  const code = readText(`examples/${example}`).replace(/^\/\/.*\n/, '').trim();
  expect(readText(readme)).toContain(code.slice(0, code.indexOf('\n\nif (')));
});
