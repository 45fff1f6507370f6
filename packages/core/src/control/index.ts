// The control socket of a running supervisor: opening one for a server, and asking one.

export { openControlSocket, type ControlSocket, type ControlSocketOptions } from './server.ts';
export { askControl, type ControlOutcome } from './client.ts';
export { CONTROL_COMMANDS, type ConnectionsSummary, type ControlRequest } from './protocol.ts';
export { defaultControlPath } from './socket-path.ts';
export { reloadedText } from '../server.ts';
