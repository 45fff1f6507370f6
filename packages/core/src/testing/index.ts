// The test kit for protocols built on core: memory transport, fake clock, chunk cutters, a scripted client, programs as
// processes, and the behaviour suite.

export { createFakeClock, type FakeClock } from './fake-clock.ts';
export { createMemoryTransport, type MemoryPeer, type MemoryTransportOptions } from './memory-transport.ts';
export {
  createMemoryConnection,
  serveInMemory,
  type MemoryConnection,
  type MemoryConnectionOptions,
  type ServedMemoryConnection,
} from './memory-connection.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { type MemoryNetwork } from './memory-network.ts';
export { byteByByte, cutAt, everyCut } from './chunks.ts';
export { openDialogue, playDialogue, type Dialogue, type DialogueOptions, type DialogueStep } from './dialogue.ts';
export { connectClient, type Client } from './client.ts';
export { runProgram, startProgram, type Program, type ProgramOptions } from './program.ts';
export { lacks, lacksFeature } from './system-programs.ts';
export { unusedAddress, type UnusedAddress } from './unused-address.ts';
export { describeServerBehaviour, type BehaviourSubject, type TestFunctions } from './behaviour-suite.ts';
export { describeDatagramBehaviour, type DatagramSubject } from './datagram-suite.ts';
