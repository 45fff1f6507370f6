import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { eventually } from '@wellknown/core/testing';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate, type TestCertificate } from '../../../test/certificates.ts';
import { createTelnetServer } from '../src/index.ts';
import type { TelnetSettings } from '../src/settings.ts';
import { connect, DO_NAWS, DO_TTYPE, iac, latin1, parrot, sb } from './session-fixture.ts';

const DO_STARTTLS = iac(253, 46);
const WILL_STARTTLS = iac(251, 46);
const WONT_STARTTLS = iac(252, 46);
const FOLLOWS = sb(46, 1);

describe('a client in clear that is asked for TLS', () => {
  test('and refuses has its session, with all that it said meanwhile', async () => {
    const client = connect(parrot, { startTls: 'offer' });
    expect(await client.received()).toBe(DO_STARTTLS);
    expect(await client.say(`${iac(251, 31)}${sb(31, 0, 100, 0, 30)}`)).toBe('');
    expect(await client.say(WONT_STARTTLS)).toBe(DO_TTYPE + DO_NAWS);
    expect(await client.say('hello\r\n')).toBe('<hello>\r\n');
  });

  test('and says nothing has its session after the silence', async () => {
    const client = connect(parrot, { startTls: 'offer' });
    await client.received();
    client.clock.advance(149);
    expect(await client.received()).toBe('');
    client.clock.advance(1);
    expect(await client.received()).toBe(DO_TTYPE + DO_NAWS);
  });

  test('and types has its session at once, and loses nothing', async () => {
    const client = connect(parrot, { startTls: 'offer' });
    await client.received();
    expect(await client.say('hello\r\n')).toContain('<hello>\r\n');
  });

  test('and agrees and then says nothing is waited for two seconds', async () => {
    const client = connect(parrot, { startTls: 'offer' });
    await client.received();
    await client.say(WILL_STARTTLS);
    client.clock.advance(1999);
    expect(await client.received()).toBe('');
    client.clock.advance(1);
    expect(await client.received()).toContain(DO_TTYPE);
  });

  test.each(['hello\r\n', WONT_STARTTLS])('and must speak it is told so: %j', async (said) => {
    const client = connect(parrot, { startTls: 'require' });
    await client.received();
    expect(await client.say(said)).toBe('This server speaks TLS only.\r\n');
    expect(client.peer.sawEnd).toBe(true);
  });
});

test('a server without a certificate cannot ask for it', () => {
  expect(() => createTelnetServer(parrot, { session: { startTls: 'offer' } })).toThrow(
    "session.startTls: 'offer' needs the option tls",
  );
});

describe('a handshake', () => {
  let certificate: TestCertificate;
  beforeAll(() => {
    certificate = makeCertificate('localhost');
  });

  async function agreed(settings: Partial<TelnetSettings>, last: string): Promise<Socket> {
    const { cert, key } = certificate;
    const server = createTelnetServer(parrot, { listen: 'tcp://127.0.0.1:0', tls: { cert, key }, session: settings });
    onTestFinished(() => server.close({ graceMs: 0 }));
    const [bound] = await server.listen();
    const socket = connectSocket(bound?.endpoint.scheme === 'tcp' ? bound.endpoint.port : 0, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    await eventually(() => received === DO_STARTTLS);
    socket.write(latin1(WILL_STARTTLS + last));
    await eventually(() => received === DO_STARTTLS + FOLLOWS || socket.destroyed);
    socket.removeAllListeners('data');
    return socket;
  }

  test('follows, and behind it the options are negotiated anew', async () => {
    const socket = await agreed({ startTls: 'require' }, FOLLOWS);
    const secure = connectTls({ socket, rejectUnauthorized: false });
    onTestFinished(() => void secure.destroy());
    let received = '';
    secure.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    await eventually(() => received === DO_TTYPE + DO_NAWS);
    secure.write('hello\r\n');
    await eventually(() => received.endsWith('<hello>\r\n'));
  });

  test('does not follow what was said in clear behind the last word: the connection is cut', async () => {
    const socket = await agreed({ startTls: 'offer' }, `${FOLLOWS}injected\r\n`);
    await eventually(() => socket.closed);
  });
});
