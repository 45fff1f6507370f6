// What a process is told of itself, also where the system tells nothing.

import { expect, onTestFinished, test, vi } from 'vitest';
import { residentBytes } from '../../src/kernel/process-limits.ts';

test('memory is what the system counts, and 0 without /proc, where asking for it fails', () => {
  expect(residentBytes()).toBeGreaterThan(1_000_000);
  const asked = vi.spyOn(process.memoryUsage, 'rss').mockImplementation(() => {
    throw new Error('ENOENT: no such file or directory, uv_resident_set_memory');
  });
  onTestFinished(() => asked.mockRestore());
  expect(residentBytes()).toBe(0);
});
