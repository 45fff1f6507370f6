import { describe, expect, test } from 'vitest';
import { AO, AYT, connect, connectRaw, DM, held, iac, IP, parrot, sb } from './session-fixture.ts';

describe('commands', () => {
  test('AYT is answered', async () => {
    const client = await connectRaw(parrot);
    expect(await client.say(AYT)).toBe('\r\n[Yes]\r\n');
  });

  test('a flood of AYT gets ten answers, and ten more a second later', async () => {
    const client = await connectRaw(parrot);
    const answers = async (): Promise<number> => (await client.say(AYT.repeat(1000))).split('[Yes]').length - 1;
    expect(await answers()).toBe(10);
    expect(await answers()).toBe(0);
    client.clock.advance(1000);
    expect(await answers()).toBe(10);
    expect(await client.say('still here\r\n')).toBe('<still here>\r\n');
  });

  test('a timing mark is always answered', async () => {
    const client = await connectRaw(parrot);
    expect(await client.say(iac(253, 6).repeat(40))).toBe(iac(251, 6).repeat(40));
    expect(await client.say(iac(251, 6))).toBe(iac(254, 6));
  });

  test('IP throws away what was typed ahead and reaches the handler behind the timing mark', async () => {
    const { handler, session, finish } = held();
    const client = await connectRaw(handler);
    session().on('interrupt', () => void session().print('interrupted'));
    await client.say('one\r\ntwo\r\nhal');
    expect(await client.say(IP + iac(253, 6))).toBe(`${iac(251, 6)}interrupted\r\n`);
    const line = session().readLine();
    await client.say('three\r\n');
    expect(await line).toBe('three');
    finish();
  });

  test('a listener that was taken off is not called', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const off = session().on('interrupt', () => void session().print('interrupted'));
    off();
    expect(await client.say(IP)).toBe('');
  });

  test('EC and EL edit the line', async () => {
    const client = await connectRaw(parrot);
    expect(await client.say(`abx${iac(247)}c\r\n`)).toBe('<abc>\r\n');
    expect(await client.say(`rubbish${iac(248)}good\r\n`)).toBe('<good>\r\n');
  });

  test('EOF on an empty line ends the input', async () => {
    const client = await connectRaw(parrot);
    await client.say(iac(236));
    expect(client.peer.sawEnd).toBe(true);
  });

  test('AO throws away what waits, and only that', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler, { memory: { highWaterBytes: 100 } });
    client.peer.reading = false;
    void session().print('x'.repeat(200));
    void session().print('discarded');
    client.peer.send(AO);
    void session().print('after');
    client.peer.reading = true;
    expect(await client.received()).toBe(`${'x'.repeat(200)}\r\n${DM}after\r\n`);
  });

  test('STATUS tells what is on', async () => {
    const client = await connectRaw(parrot);
    await client.say(iac(251, 31) + iac(253, 5));
    expect(await client.say(sb(5, 1))).toBe(sb(5, 0, 251, 5, 253, 31));
  });

  // ^D as data, and EOF: on an empty line both say that no more will come.
  const ENDS_INPUT = [4, 236];

  test.each(ENDS_INPUT)('IAC %i as the first bytes of all ends the session in good order', async (code) => {
    const client = connect(parrot);
    client.peer.send(Uint8Array.of(255, code));
    await client.received();
    client.peer.end();
    expect(client.closeReason).toBe('finished');
  });

  test.each(Array.from({ length: 256 }, (_, code) => code).filter((code) => !ENDS_INPUT.includes(code)))(
    'IAC %i as the first bytes of all is survived',
    async (code) => {
      const client = connect(parrot);
      client.peer.send(Uint8Array.of(255, code));
      // Closes whatever the command opened: as an option, an SE, or nothing.
      client.peer.send(`${iac(240)}\r\n`);
      await client.received();
      expect(await client.say('ping\r\n')).toContain('<ping>\r\n');
    },
  );
});

describe('the window', () => {
  test('tells its size and every change of it', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const sizes: string[] = [];
    session().on('resize', ({ columns, rows }) => sizes.push(`${columns}x${rows}`));
    await client.say(iac(251, 31) + sb(31, 0, 100, 0, 30) + sb(31, 0, 100, 0, 30) + sb(31, 0, 90, 0, 30));
    expect(sizes).toEqual(['100x30', '90x30']);
  });

  test('of 0 by 0 is unknown, and stays what it was', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    const sizes: string[] = [];
    session().on('resize', ({ columns, rows }) => sizes.push(`${columns}x${rows}`));
    await client.say(iac(251, 31) + sb(31, 0, 0, 0, 0));
    expect([session().terminal.columns, session().terminal.rows, ...sizes]).toEqual([80, 24]);
  });

  test('of a client that never agreed to tell it is ignored', async () => {
    const { handler, session } = held();
    const client = await connectRaw(handler);
    await client.say(sb(31, 0, 100, 0, 30));
    expect(session().terminal.columns).toBe(80);
  });
});
