// Buffers that files are read into on their way to a peer, used again and again by all connections of a service.
//
// The way to a thread and back costs as much as copying some 30 KiB, so large pieces are what makes large files cheap:
// with 512 KiB a file of 100 MiB costs half of what it costs with 128. A peer that is slower than the disk holds its
// piece for as long as it takes to send it, and there may be thousands of those: they get small ones.

export type PieceSize = 'small' | 'large';

interface SizeClass {
  readonly byteLength: number;
  readonly maxSpare: number;
  readonly spare: Uint8Array[];
}

export class BufferPool {
  // What stays with a server that was busy: 8 MiB of each. One that is left to the garbage collector costs more than what
  // is read into it: memory outside of its heap makes it mark all of the heap, again and again.
  readonly #classes: Readonly<Record<PieceSize, SizeClass>> = {
    small: { byteLength: 131_072, maxSpare: 64, spare: [] },
    large: { byteLength: 524_288, maxSpare: 16, spare: [] },
  };

  acquire(size: PieceSize): Uint8Array {
    const { spare, byteLength } = this.#classes[size];
    // Nothing is seen of it but what is read into it.
    return spare.pop() ?? Buffer.allocUnsafeSlow(byteLength);
  }

  /** Whether an acquired buffer is one of that size. */
  isOf(size: PieceSize, buffer: Uint8Array): boolean {
    return buffer.length === this.#classes[size].byteLength;
  }

  /** Takes an acquired buffer back. Only for one whose bytes are not needed any more. */
  release(buffer: Uint8Array): void {
    const { small, large } = this.#classes;
    const { spare, maxSpare } = buffer.length === small.byteLength ? small : large;
    if (spare.length < maxSpare) spare.push(buffer);
  }
}
