// A world of two rooms: `node mud.ts tcp://127.0.0.1:4000`, then `tt++`, Mudlet or telnet. Clients for such worlds get
// the room as GMCP, crawlers get the status as MSSP.
import {
  createTelnetServer,
  type TelnetHandler,
  type TelnetServerOptions,
  type TelnetSession,
} from '@wellknown/telnet';
const ROOMS: Readonly<Record<string, { name: string; text: string; exits: Record<string, string> }>> = {
  inn: { name: 'The Inn', text: 'A fire crackles. The door leads north.', exits: { north: 'square' } },
  square: { name: 'The Square', text: 'Pigeons. The inn is to the south.', exits: { south: 'inn' } },
};
/** Who is where. Who types stays undisturbed: what is printed stands above the line. */
const players = new Map<TelnetSession, { readonly name: string; room: string }>();

const tellRoom = (room: string, text: string, except?: TelnetSession): void => {
  for (const [session, player] of players) if (player.room === room && session !== except) void session.print(text);
};
async function look(session: TelnetSession, id: string): Promise<void> {
  const { name, text, exits } = ROOMS[id]!;
  session.gmcp.send('Room.Info', { num: id, name, exits });
  await session.print(`${name}\n${text}`);
  for (const [other, player] of players)
    if (other !== session && player.room === id) await session.print(`${player.name} is here.`);
}

export const handler: TelnetHandler = async (session) => {
  await session.ready;
  const name = (await session.ask('By what name are you known? '))?.trim().slice(0, 20);
  if (name === undefined || name === '') return;
  const player = { name, room: 'inn' };
  players.set(session, player);
  tellRoom(player.room, `${name} comes in.`, session);
  try {
    await look(session, player.room);
    for await (const line of session.lines({ prompt: '> ' })) {
      const [, verb = '', rest = ''] = /^\s*(\S*)\s*(.*)$/.exec(line) ?? [];
      const { exits } = ROOMS[player.room]!;
      if (Object.hasOwn(exits, verb)) {
        tellRoom(player.room, `${name} goes ${verb}.`, session);
        player.room = exits[verb]!;
        tellRoom(player.room, `${name} arrives.`, session);
        await look(session, player.room);
      } else if (verb === 'say') tellRoom(player.room, `${name} says: ${rest}`);
      else if (verb === 'look') await look(session, player.room);
      else if (verb === 'quit') return;
      else if (verb !== '') await session.print(`You can look, say, quit, or go: ${Object.keys(exits).join(', ')}.`);
    }
  } finally {
    players.delete(session);
    tellRoom(player.room, `${name} is gone.`);
  }
};

export const options: TelnetServerOptions = {
  session: { gmcp: true, mssp: () => ({ NAME: 'Two Rooms', PLAYERS: players.size, ROOMS: 2 }) },
};
if (process.argv[2] !== undefined) await createTelnetServer(handler, { ...options, listen: process.argv[2] }).listen();
