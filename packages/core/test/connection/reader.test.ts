import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryConnection } from '../../src/testing/index.ts';

// Around what is kept unread otherwise.
const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 60_000, max: 140_000 }));

test('reads of any size give every byte once and in order, whatever the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sizes, { minLength: 1, maxLength: 8 }),
      fc.array(sizes, { maxLength: 8 }),
      fc.boolean(),
      async (chunkSizes, readSizes, readFirst) => {
        const { connection, peer } = createMemoryConnection();
        const total = chunkSizes.reduce((sum, size) => sum + size, 0);
        const input = Uint8Array.from({ length: total }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
        const taken: Uint8Array[] = [];
        const reading = (async () => {
          for (const size of readSizes) {
            const bytes = await connection.read({ byteLength: size });
            if (bytes === undefined) return;
            taken.push(bytes);
          }
          for (let bytes = await connection.read(); bytes !== undefined; bytes = await connection.read())
            taken.push(bytes);
        })();
        if (!readFirst) connection.pause();
        let offset = 0;
        for (const size of chunkSizes) {
          peer.send(input.subarray(offset, offset + size));
          offset += size;
        }
        peer.end();
        connection.resume();
        await reading;
        expect(Buffer.compare(Buffer.concat(taken), input)).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('unread bytes pause the peer at 64 KiB, also after a large read', async () => {
  const { connection, peer } = createMemoryConnection();
  const reading = connection.read({ byteLength: 200_000 });
  for (let sent = 0; sent < 40; sent += 1) peer.send(new Uint8Array(10_000));
  expect((await reading)?.length).toBe(200_000);
  const { receivedBytes } = connection;
  expect(receivedBytes).toBeLessThanOrEqual(200_000 + 65_536 + 10_000);
  expect(receivedBytes).toBeGreaterThan(200_000);
});

test.each([-1, 0.5, NaN, Infinity])('a length of %d is refused, and nothing is read for it', async (length) => {
  const { connection, peer } = createMemoryConnection();
  peer.send('line\n');
  await expect(connection.read({ byteLength: length })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: `read: byteLength is '${length}', allowed is a whole number from 0`,
  });
  await expect(connection.readLine({ maxLineBytes: length })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  expect(await connection.readLine()).toBe('line');
});

test('a line that was too long for one bound is read with a larger one, whether its end was there or not', async () => {
  const { connection, peer } = createMemoryConnection();
  peer.send(`${'x'.repeat(20)}\n${'y'.repeat(20)}`);
  await expect(connection.readLine({ maxLineBytes: 10 })).rejects.toMatchObject({ code: 'LINE_TOO_LONG' });
  expect(await connection.readLine({ maxLineBytes: 100 })).toBe('x'.repeat(20));
  await expect(connection.readLine({ maxLineBytes: 10 })).rejects.toMatchObject({ code: 'LINE_TOO_LONG' });
  const line = connection.readLine({ maxLineBytes: 100 });
  peer.send('\n');
  expect(await line).toBe('y'.repeat(20));
});

test('a line that begins with U+FEFF keeps it', async () => {
  const { connection, peer } = createMemoryConnection();
  peer.send(Buffer.from('\uFEFFkey=value\r\n'));
  expect(await connection.readLine()).toBe('\uFEFFkey=value');
});
