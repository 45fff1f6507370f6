// What a primary's program has for the programs of its workers, who ask for it before they listen.

import { takeSharedFiles } from './shared-files.ts';
import { isOurWorker } from './worker-place.ts';
import { envelope, messageFromPrimary, type FromWorker } from './worker-messages.ts';

/**
 * In a worker: what was `workerData` where the primary's `createServer` or `reload` was called, undefined where there was
 * none. Call it once, before `listen`. In any other process it is undefined at once.
 */
export function readWorkerData(): Promise<unknown> {
  return new Promise((resolve) => {
    const received = (raw: unknown): void => {
      const message = messageFromPrimary(raw);
      if (message?.type !== 'data') return;
      process.off('message', received);
      takeSharedFiles(message.files);
      resolve(message.data);
    };
    const question: FromWorker = { type: 'data-question' };
    if (process.send === undefined || !isOurWorker()) {
      resolve(undefined);
      return;
    }
    process.on('message', received);
    process.send(envelope(question), undefined, {}, () => undefined);
  });
}
