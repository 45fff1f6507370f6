import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PlaceLedger, ServicePlaces } from '../../src/accept/shared-places.ts';

const ANY = Number.POSITIVE_INFINITY;

describe('the ledger of places', () => {
  test('gives out as many of a name as there may be, over all workers, and not one more', () => {
    const ledger = new PlaceLedger();
    expect([ledger.take(1, 'a', 2), ledger.take(2, 'a', 2), ledger.take(3, 'a', 2)]).toEqual([true, true, false]);
    expect(ledger.take(3, 'b', 2)).toBe(true);
    ledger.release(1, 'a');
    expect([ledger.take(3, 'a', 2), ledger.take(1, 'a', 2)]).toEqual([true, false]);
    expect([ledger.total('a'), ledger.holders('a')]).toEqual([2, [2, 3]]);
  });

  test('takes back what a worker had that has ended, and says of which names others have places', () => {
    const ledger = new PlaceLedger();
    for (const name of ['a', 'a', 'b']) ledger.take(1, name, ANY);
    ledger.take(2, 'a', ANY);
    expect(ledger.forget(1)).toEqual(['a']);
    expect([ledger.total('a'), ledger.total('b')]).toEqual([1, 0]);
    expect(ledger.forget(1)).toEqual([]);
  });

  test('takes nothing back that was not given', () => {
    const ledger = new PlaceLedger();
    ledger.take(1, 'a', ANY);
    ledger.release(2, 'a');
    ledger.release(1, 'b');
    expect(ledger.total('a')).toBe(1);
  });

  test('never has more than the limit, whatever is taken and given back', () => {
    const step = fc.record({ worker: fc.nat(3), name: fc.constantFrom('a', 'b'), isTaken: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const ledger = new PlaceLedger();
        const held = new Map<string, number>();
        for (const { worker, name, isTaken } of steps) {
          const key = `${worker} ${name}`;
          const own = held.get(key) ?? 0;
          if (!isTaken) ledger.release(worker, name);
          const isGranted = isTaken && ledger.take(worker, name, 3);
          held.set(key, isTaken ? own + Number(isGranted) : Math.max(0, own - 1));
        }
        for (const name of ['a', 'b']) {
          const total = [0, 1, 2, 3].reduce((sum, worker) => sum + (held.get(`${worker} ${name}`) ?? 0), 0);
          expect(ledger.total(name)).toBe(total);
          expect(total).toBeLessThanOrEqual(3);
        }
      }),
    );
  });
});

describe('the places of a service', () => {
  test('are counted here where there is no primary, and given back once', async () => {
    const places = new ServicePlaces();
    const first = await places.take('a', 1);
    expect(first?.share).toBe(1);
    expect(await places.take('a', 1)).toBeUndefined();
    first?.release();
    first?.release();
    expect(await places.take('a', 1)).toBeDefined();
    expect(await places.take('a', 1)).toBeUndefined();
  });

  test('are a part of all that the primary has counted', async () => {
    const said: string[] = [];
    const places = new ServicePlaces({
      ask: (name, max) => Promise.resolve(said.push(`ask ${name} ${max}`) === 1),
      joined: (name) => void said.push(`joined ${name}`),
      released: (name) => void said.push(`released ${name}`),
    });
    const asked = await places.take('a', 5);
    expect(await places.take('a', 5)).toBeUndefined();
    const joined = places.join('a');
    expect([asked?.share, joined.share]).toEqual([1, 1]);
    places.told('a', 8);
    places.told('b', 9);
    expect([asked?.share, joined.share]).toEqual([0.25, 0.25]);
    asked?.release();
    expect(joined.share).toBe(0.125);
    joined.release();
    expect(said).toEqual(['ask a 5', 'ask a 5', 'joined a', 'released a', 'released a']);
    // What was heard of earlier places is not held against new ones.
    expect(places.join('a').share).toBe(1);
  });
});
