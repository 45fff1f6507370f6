import { createExecServer } from '../src/inetd/exec-server.ts';
import { describe, expect, test } from 'vitest';
import { createServer, defineProtocol, serve, type Protocol } from '../src/index.ts';
import { nearestName } from '../src/option-names.ts';
import { resolveOptions } from '../src/resolved-options.ts';

const streams: Protocol = defineProtocol({ name: 'streams', port: 7, connection: () => undefined });
const datagrams = defineProtocol({ name: 'datagrams', port: 9, datagrams: () => () => undefined });

const listening = (listen: unknown, protocol = streams) =>
  resolveOptions({ protocol, listen: listen as string }, {}).services[0]?.listen;

const thrownBy = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
};
const refusal = (options: object): unknown => thrownBy(() => createServer({ protocol: streams }, options));

describe('listen', () => {
  test.each([
    [8080, { scheme: 'tcp', host: '127.0.0.1', port: 8080 }],
    [0, { scheme: 'tcp', host: '127.0.0.1', port: 0 }],
    [65_535, { scheme: 'tcp', host: '127.0.0.1', port: 65_535 }],
    [{ port: 8080 }, { scheme: 'tcp', host: '127.0.0.1', port: 8080 }],
    [{ host: '127.0.0.2' }, { scheme: 'tcp', host: '127.0.0.2', port: 7 }],
    [
      { port: 1, host: '::1' },
      { scheme: 'tcp', host: '::1', port: 1 },
    ],
    [
      { port: 1, host: '[::1]' },
      { scheme: 'tcp', host: '::1', port: 1 },
    ],
    ['tcp://127.0.0.3:5', { scheme: 'tcp', host: '127.0.0.3', port: 5 }],
  ])('takes %j', (listen, endpoint) => {
    expect(listening(listen)).toMatchObject([endpoint]);
  });

  test('takes a list of any of them', () => {
    expect(listening([1, { port: 2 }, 'tcp://127.0.0.1:3'])).toMatchObject([{ port: 1 }, { port: 2 }, { port: 3 }]);
  });

  test('takes a port for datagrams where the protocol has nothing else, or says so', () => {
    expect(listening(5, datagrams)).toMatchObject([{ scheme: 'udp', port: 5 }]);
    const both = { ...streams, ...datagrams };
    expect(listening(5, both)).toMatchObject([{ scheme: 'tcp', port: 5 }]);
    expect(listening(5, { ...both, defaultScheme: 'udp' })).toMatchObject([{ scheme: 'udp', port: 5 }]);
  });

  test.each([[65_536], [-1], [1.5], [Number.NaN], [{ port: '80' }], [{ port: 65_536 }], [true], [null]])(
    'refuses %j',
    (listen) => {
      expect(thrownBy(() => listening(listen))).toMatchObject({
        name: 'WellknownError',
        code: expect.stringMatching(/^(OPTION|ENDPOINT)_INVALID$/) as string,
      });
    },
  );

  test('refuses a part that it does not have', () => {
    expect(thrownBy(() => listening({ prot: 1 }))).toMatchObject({
      code: 'OPTION_INVALID',
      message: "the part of 'listen' 'prot' is unknown: meant may be 'port'",
    });
  });
});

describe('what a JavaScript caller may get wrong', () => {
  test.each([
    [{ worker: 2 }, "the option 'worker' is unknown: meant may be 'workers'"],
    [{ limits: { maxConections: 5 } }, "the limit 'maxConections' is unknown: meant may be 'maxConnections'"],
    [{ supervision: { maxAge: 5 } }, "the option of supervision 'maxAge' is unknown: meant may be 'maxAgeMs'"],
    [{ dispatch: 'address' }, "option 'dispatch' is address, allowed is round-robin, least-connections, source-hash"],
    [{ dispatch: 'source-hsh' }, "allowed is round-robin, least-connections, source-hash; meant may be 'source-hash'"],
    [{ accept: 'shared' }, "option 'accept' is shared, allowed is inherit, inherit-shared, inherit-sharded, "],
    [{ workers: -1 }, "option 'workers' is -1, allowed is a whole number from 0, or 'auto'"],
    [{ backlog: 0 }, "option 'backlog' is 0, allowed is a whole number from 1 to 65535"],
    [{ backlog: 65_536 }, "option 'backlog' is 65536, allowed is a whole number from 1 to 65535"],
    [{ drainTimeoutMs: '30s' }, "option 'drainTimeoutMs' is 30s, allowed is a number from 0"],
    [{ drainTimeoutMs: Number.NaN }, "option 'drainTimeoutMs' is NaN, allowed is a number from 0"],
    [{ unixMode: '0660' }, "option 'unixMode' is 0660, allowed is a number from 0 to 0o777, as in 0o660"],
    [{ unixMode: 0o1000 }, "option 'unixMode' is 512, allowed is a number from 0 to 0o777, as in 0o660"],
    [{ runAs: 'nobody' }, "option 'runAs' is nobody, allowed is { uid, gid } with two whole numbers from 0"],
    [{ runAs: { uid: 1 } }, "option 'runAs' is an object, allowed is { uid, gid } with two whole numbers from 0"],
    [{ log: { info: () => undefined } }, "option 'log' is an object, allowed is an object with the methods debug, "],
    [{ log: true }, "option 'log' is true, allowed is an object with the methods debug, info, warn and error"],
    [
      { clock: {} },
      "option 'clock' is an object, allowed is an object with the methods nowMs, wallMs, after and every",
    ],
    [{ allow: '10.0.0.0/8' }, "option 'allow' is 10.0.0.0/8, allowed is a list of addresses and ranges"],
    [{ proxyProtocol: [1] }, "option 'proxyProtocol' is a list, allowed is a list of addresses and ranges"],
    [{ tls: 'cert.pem' }, "option 'tls' is cert.pem, allowed is an object"],
    [{ keepUnixPath: true }, "option 'keepUnixPath' is true, allowed is a function"],
    [{ replaceUnixPath: 'no' }, "option 'replaceUnixPath' is no, allowed is true or false"],
    [{ limits: 5 }, "option 'limits' is 5, allowed is an object"],
    [{ supervision: { maxAgeMs: '1h' } }, "option 'supervision.maxAgeMs' is 1h, allowed is a number from 0"],
    [{ datagramLimits: { maxInFlight: -1 } }, "option 'datagramLimits.maxInFlight' is -1, allowed is a number from 0"],
    [{ limits: { maxConnections: '5' } }, "option 'limits.maxConnections' is 5, allowed is a number from 0"],
  ])('%j', (options, message) => {
    expect(refusal(options)).toMatchObject({
      code: 'OPTION_INVALID',
      fault: 'local',
      message: expect.stringContaining(message) as string,
    });
  });

  test('what is undefined is left out, and the greatest values that are allowed are taken', () => {
    const options = { log: undefined, backlog: 65_535, unixMode: 0o777, drainTimeoutMs: Infinity, runAs: undefined };
    expect(refusal(options)).toBeUndefined();
    expect(refusal({ backlog: 1, unixMode: 0, drainTimeoutMs: 0, supervision: { spare: undefined } })).toBeUndefined();
  });

  test('an unknown name that is like no other one is told all of them', () => {
    expect(refusal({ zzz: 1 })).toMatchObject({
      message: expect.stringContaining('known are workers, limits, ') as string,
    });
  });

  test('listen among the options is refused unless each service has its own', () => {
    expect(refusal({ listen: 8080 })).toMatchObject({
      message: "the option 'listen' is unknown: it stands beside the protocol: { protocol, listen }",
    });
    const options: object = { listen: 8080 };
    expect(thrownBy(() => createServer({ protocol: streams, listen: 8080 }, options))).toBeUndefined();
  });

  test.each([
    [{ alow: ['127.0.0.1'] }, "the option of a service 'alow' is unknown: meant may be 'allow'"],
    [{ limits: { maxConnectionPerAddress: 2 } }, "the limit 'maxConnectionPerAddress' is unknown: meant may be"],
    [{ limits: { maxConnections: NaN } }, "option 'limits.maxConnections' is NaN"],
    [{ datagramLimits: { maxInFlight: -1 } }, "option 'datagramLimits.maxInFlight' is -1"],
  ])('what a service says itself is looked at as well: %j', (own, words) => {
    const service = { protocol: streams, listen: 0, ...own };
    expect(thrownBy(() => createServer(service as never))).toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining(words) as string,
    });
  });

  test('a server that runs programs looks at its limits as well', () => {
    const limits: object = { maxConections: 1 };
    expect(thrownBy(() => createExecServer({ program: 'cat', listen: 'tcp://127.0.0.1:0', limits }))).toMatchObject({
      code: 'OPTION_INVALID',
      message: "the limit 'maxConections' is unknown: meant may be 'maxConnections'",
    });
  });

  test('what is no service at all is told what one is', () => {
    for (const given of [{}, [{}], [undefined], streams])
      expect(thrownBy(() => createServer(given as never))).toMatchObject({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('{ protocol, listen }') as string,
      });
  });

  test('serve refuses as createServer does', async () => {
    await expect(serve(streams, { listen: 0, wrokers: 1 } as object)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: "the option 'wrokers' is unknown: meant may be 'workers'",
    });
  });

  test('messages speak of options, not of the command line', () => {
    const tls = thrownBy(() => createServer({ protocol: streams, listen: 'tls://127.0.0.1:0' }));
    expect(tls).toMatchObject({ message: "endpoint 'tls://127.0.0.1:0' needs a certificate: give the option 'tls'" });
    const proxy = thrownBy(() => createServer({ protocol: datagrams }, { proxyProtocol: ['127.0.0.1'] }));
    expect(String(proxy)).not.toContain('--');
  });
});

test('the nearest name is one with at most two of five letters changed', () => {
  expect(nearestName('abcde', ['abcXX'])).toBe('abcXX');
  expect(nearestName('abcde', ['abXXX'])).toBeUndefined();
  // Two neighbours in each other's place are one change.
  expect(nearestName('prot', ['port'])).toBe('port');
  expect(nearestName('WORKERS', ['works', 'workers'])).toBe('workers');
});
