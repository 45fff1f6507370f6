// What servers of files share: which calls to a disk need no thread, and the buffers that files pass through.

export { DiskPace } from './disk-pace.ts';
export { BufferPool, type PieceSize } from './buffer-pool.ts';
export { MountTable } from './mount-table.ts';
