import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAccessRules } from '../../src/address/access-rules.ts';
import { AddressRates } from '../../src/accept/address-rates.ts';
import { CidrTable, parseCidr } from '../../src/address/cidr-table.ts';
import { createDescriptorBudget } from '../../src/accept/descriptor-budget.ts';
import { readOpenFilesLimit } from '../../src/kernel/process-limits.ts';

describe('a table of ranges', () => {
  const table = new CidrTable<string>();
  for (const cidr of [
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.3',
    '2001:db8::/32',
    '2001:db8:1::/48',
    '::ffff:192.0.2.0/120',
  ])
    expect(table.add(cidr, cidr).ok).toBe(true);

  test.each([
    ['203.0.113.1', '0.0.0.0/0'],
    ['10.255.255.255', '10.0.0.0/8'],
    ['10.1.2.2', '10.1.0.0/16'],
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['192.0.2.77', '::ffff:192.0.2.0/120'],
    ['2001:db8::1', '2001:db8::/32'],
    ['2001:db8:1::1', '2001:db8:1::/48'],
    ['2001:db8:1::1%eth0', '2001:db8:1::/48'],
  ])('%s is in %s', (address, cidr) => {
    expect(table.match(address)?.cidr).toBe(cidr);
  });

  test.each(['2001:db9::1', '::1', 'no address', ''])('%s is in none', (address) => {
    expect(table.match(address)).toBeUndefined();
  });

  test('the most specific range wins in whatever order they were added, as a search of the list would find', () => {
    const range = fc.record({
      address: fc.integer({ min: 0, max: 0xffffffff }),
      prefix: fc.integer({ min: 0, max: 32 }),
    });
    const dotted = (value: number): string =>
      [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
    const masked = (value: number, prefix: number): number =>
      prefix === 0 ? 0 : (value & (0xffffffff << (32 - prefix))) >>> 0;
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 30 }),
        fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 10 }),
        (ranges, others) => {
          const bits = new CidrTable<number>();
          for (const { address, prefix } of ranges) bits.add(`${dotted(masked(address, prefix))}/${prefix}`, prefix);
          for (const address of [...others, ...ranges.map((one) => one.address)]) {
            const holding = ranges
              .filter((one) => masked(address, one.prefix) === masked(one.address, one.prefix))
              .map(({ prefix }) => prefix);
            expect(bits.match(dotted(address))?.value).toBe(holding.length === 0 ? undefined : Math.max(...holding));
          }
        },
      ),
    );
  });

  test.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.1/8',
    '2001:db8::1/64',
    '10.0.0/8',
    'host/8',
    '',
  ])("'%s' is refused", (text) => {
    expect(parseCidr(text).ok).toBe(false);
  });
});

describe('allow and deny', () => {
  const rules = (lists: Parameters<typeof createAccessRules>[0]) => {
    const made = createAccessRules(lists);
    if (!made.ok) throw new Error(made.error);
    return made.value;
  };

  test('without rules everyone may connect', () => {
    expect(rules({}).decide('192.0.2.1')).toEqual({ allowed: true, rule: undefined });
  });

  test('the most specific rule decides, and says which it was', () => {
    const some = rules({ allow: ['10.1.0.0/16'], deny: ['10.0.0.0/8', '10.1.1.0/24'] });
    expect(some.decide('10.2.0.1')).toEqual({ allowed: false, rule: '10.0.0.0/8' });
    expect(some.decide('10.1.0.1')).toEqual({ allowed: true, rule: '10.1.0.0/16' });
    expect(some.decide('10.1.1.1')).toEqual({ allowed: false, rule: '10.1.1.0/24' });
  });

  test('with deny alone all others may connect; with an allow they may not', () => {
    expect(rules({ deny: ['10.0.0.0/8'] }).decide('192.0.2.1').allowed).toBe(true);
    expect(rules({ allow: ['10.0.0.0/8'] }).decide('192.0.2.1')).toEqual({ allowed: false, rule: undefined });
    expect(rules({ allow: ['10.0.0.0/8'] }).decide('::1').allowed).toBe(false);
  });

  test('an IPv4 rule holds for a mapped peer, and a unix peer is not asked', () => {
    expect(rules({ deny: ['10.0.0.0/8'] }).decide('::ffff:10.0.0.1').allowed).toBe(false);
    expect(rules({ allow: ['10.0.0.0/8'] }).decide({ family: 'unix', path: '' }).allowed).toBe(true);
  });

  test('one range in both lists, and a misprint, are refused with the list and the range', () => {
    expect(createAccessRules({ allow: ['10.0.0.0/8'], deny: ['10.0.0.0/8'] })).toMatchObject({
      ok: false,
      error: expect.stringContaining("deny: '10.0.0.0/8'") as string,
    });
    expect(createAccessRules({ deny: ['10.0.0.1/8'] })).toMatchObject({
      ok: false,
      error: expect.stringContaining('deny:') as string,
    });
  });
});

describe('the rate of each address', () => {
  test('addresses do not share, and are forgotten once their bucket is full', () => {
    const rates = new AddressRates(1);
    expect([rates.take('a', 0), rates.take('a', 0), rates.take('b', 0)]).toEqual([true, false, true]);
    expect(rates.size).toBe(2);
    rates.take('c', 5_000);
    expect(rates.size).toBe(1);
  });

  test('no more addresses are remembered than allowed', () => {
    const rates = new AddressRates(1, 8);
    for (let index = 0; index < 100; index += 1) expect(rates.take(`address ${index}`, 0)).toBe(true);
    expect(rates.size).toBeLessThanOrEqual(8);
  });
});

describe('the budget of file descriptors', () => {
  test('an eighth is kept back: half of it to say so, half to be never used', () => {
    const budget = createDescriptorBudget(1024);
    expect([895, 896, 959, 960].map((descriptor) => budget.verdict(descriptor))).toEqual([
      'serve',
      'refuse',
      'refuse',
      'drop',
    ]);
  });

  test('of few descriptors sixteen are kept back', () => {
    const budget = createDescriptorBudget(64);
    expect([47, 48, 55, 56].map((descriptor) => budget.verdict(descriptor))).toEqual([
      'serve',
      'refuse',
      'refuse',
      'drop',
    ]);
  });

  test('the soft limit is read from the text of the kernel', () => {
    expect(
      readOpenFilesLimit(
        'Max processes 1 2 processes\nMax open files            1024                 524288               files     \n',
      ),
    ).toBe(1024);
    expect(
      readOpenFilesLimit('Max open files            unlimited            unlimited            files     \n'),
    ).toBeUndefined();
    expect(readOpenFilesLimit('')).toBeUndefined();
  });
});
