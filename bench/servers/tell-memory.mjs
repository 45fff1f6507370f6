/** On SIGUSR2, after a collection, prints `memory HEAP RSS` in bytes. Needs --expose-gc. */
export function tellMemory() {
  process.on('SIGUSR2', () => {
    for (let index = 0; index < 4; index += 1) globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    console.log(`memory ${heapUsed + external} ${rss}`);
  });
}
