// One transfer, from the opened file to the last reply's reason. One object owns everything it uses, one signal stops
// it, and there is one way out, through `finally`.

import type { Clock, Result } from '@wellknown/core';
import type { BufferPool } from '@wellknown/core/files';
import type { Charset } from './charset.ts';
import { createLocalLineEnds, createNetworkLineEnds } from './ascii.ts';
import { DataChannelError, type DataChannel } from './data-channel.ts';
import type { DataConnection } from './data-connection.ts';
import type { FileProblem, FileSystem, ReadSource, WriteTarget } from './file-system.ts';
import { openListing, type Listing } from './listing/open-listing.ts';
import type { TransferEnd, TransferPlan } from './effects.ts';
import { sendFile } from './send-file.ts';
import { keepsNothing } from './storage/kept-chunks.ts';
import type { Pace } from './throttle.ts';
import type { ProtectionLevel } from './session-state.ts';
import { StorageTimeout } from './storage/deadlines.ts';
import { problemOf } from './storage/errno-map.ts';

/** How far a transfer has come. */
class TransferTally {
  /** Payload bytes so far, as they travelled. */
  bytes = 0;
  listing: Listing | undefined;

  /** Entries of a listing that were told. */
  get entries(): number {
    return this.listing?.entries ?? 0;
  }
}

/** A transfer under way. */
export interface Transfer {
  readonly plan: TransferPlan;
  readonly tally: TransferTally;
  /** Stops it soon; `run` then resolves with `aborted` unless it was over already. */
  abort(): void;
  /**
   * Runs it to its end and never rejects. `opened` is called once the file is open, before the data connection is used.
   */
  run(opened: (sizeBytes: number | undefined) => void): Promise<TransferEnd>;
}

type Opened =
  | { readonly what: 'download'; readonly source: ReadSource; readonly restBytes: number }
  | { readonly what: 'upload'; readonly target: WriteTarget }
  | { readonly what: 'listing'; readonly listing: Listing };

/** Thrown to leave the pump when the file system, not the connection, is at fault. */
class FileFailure extends Error {
  readonly problem: FileProblem;
  constructor(problem: FileProblem) {
    super(problem);
    this.problem = problem;
  }
}

/** Thrown to leave the pump when a file has ended too soon: what was sent is not what was announced. */
class ShortFile extends Error {
  readonly at = 'short';
}

const finish = (data: DataConnection): void => {
  if (!data.finish()) throw new Error('the data connection broke');
};

const valueOf = <Value>(result: Result<Value, FileProblem>): Value => {
  if (!result.ok) throw new FileFailure(result.error);
  return result.value;
};

export interface TransferOptions {
  readonly fileSystem: FileSystem;
  /** The transfer's own from now on. */
  readonly channel: DataChannel;
  readonly protection: ProtectionLevel;
  /** Of the names in listings. */
  readonly charset: Charset;
  readonly pace: Pace;
  /** What files are read into on their way. */
  readonly buffers: BufferPool;
  readonly clock: Clock;
  /** Gets the errors that have no place in a reply. */
  readonly failed: (error: unknown) => void;
}

/** A transfer that has not started. */
export function createTransfer(
  plan: TransferPlan,
  { fileSystem, channel, protection, charset, pace, buffers, clock, failed }: TransferOptions,
): Transfer {
  const stop = new AbortController();
  const tally = new TransferTally();
  let connection: DataConnection | undefined;
  /** A target that was told to commit has let go of everything, whatever came of it: there is nothing left to abort. */
  let isCommitting = false;
  const dropConnection = (): void => connection?.destroy();
  stop.signal.addEventListener('abort', dropConnection);

  const run = async (opened: (sizeBytes: number | undefined) => void): Promise<TransferEnd> => {
    let at: 'refused' | 'no-connection' | 'connection-lost' = 'refused';
    let file: Opened | undefined;
    let isComplete = false;
    try {
      file = await open(plan, fileSystem, stop.signal);
      opened(file.what === 'download' ? file.restBytes : undefined);
      at = 'no-connection';
      connection = await channel.open(
        {
          protection,
          maxQueuedBytes: pace.portionBytes,
          expectedBytes: plan.what === 'upload' ? plan.options.expectedBytes : undefined,
          isUpload: plan.what === 'upload',
          doing: `${plan.what} of ${plan.path}`,
        },
        stop.signal,
      );
      at = 'connection-lost';
      if (stop.signal.aborted) return { at: 'aborted' };
      await pump(file, connection);
      isComplete = true;
      return { at: 'complete' };
    } catch (error) {
      if (stop.signal.aborted) return { at: 'aborted' };
      if (error instanceof FileFailure) return { at: at === 'refused' ? 'refused' : 'failed', problem: error.problem };
      if (error instanceof DataChannelError || error instanceof ShortFile) return { at: error.at };
      if (at !== 'refused') return { at };
      return { at: 'refused', problem: storageFailure(error).problem };
    } finally {
      // What is being opened still, after all, need not be.
      if (file === undefined) stop.abort();
      if (!isComplete) {
        channel.close();
        connection?.destroy();
      }
      await closeFile(file, isCommitting).catch(failed);
    }
  };

  /** Asks a file system in the middle of a transfer: what it throws is no fault of the connection, and is reported. */
  const fromStorage = async <Value>(ask: () => Promise<Value>): Promise<Value> => {
    try {
      return await ask();
    } catch (error) {
      throw storageFailure(error);
    }
  };
  const asked = async <Value>(ask: () => Promise<Result<Value, FileProblem>>): Promise<Value> =>
    valueOf(await fromStorage(ask));

  const storageFailure = (error: unknown): FileFailure => {
    if (error instanceof FileFailure) return error;
    const isOfAbort = stop.signal.aborted && !(error instanceof StorageTimeout);
    return new FileFailure(problemOf(error, isOfAbort ? () => undefined : failed));
  };

  const pump = async (file: Opened, data: DataConnection): Promise<void> => {
    if (file.what === 'upload') await receive(file.target, data);
    else if (file.what === 'download') await send(file.source, file.restBytes, data);
    else await sendListing(file.listing, data);
  };

  const send = async (source: ReadSource, restBytes: number, data: DataConnection): Promise<void> => {
    const lineEnds = plan.what === 'download' && plan.ascii ? createNetworkLineEnds() : undefined;
    const guarded = {
      ...(source.isInMemory === undefined ? {} : { isInMemory: source.isInMemory }),
      read: (into: Uint8Array) => fromStorage(() => source.read(into)),
    };
    const sent = (byteLength: number): void => void (tally.bytes += byteLength);
    const readBytes = valueOf(
      await sendFile({
        ...{ source: guarded, restBytes, sink: data, buffers, lineEnds },
        ...{ pace, clock, signal: stop.signal, sent },
      }),
    );
    if (readBytes < restBytes) throw new ShortFile();
    finish(data);
  };

  const sendListing = async (listing: Listing, data: DataConnection): Promise<void> => {
    tally.listing = listing;
    for await (const text of fenced(listing.text)) {
      const chunk = charset.encode(text);
      await data.write(chunk);
      tally.bytes += chunk.length;
    }
    await data.flushed();
    finish(data);
  };

  async function* fenced(text: Listing['text']): AsyncGenerator<string> {
    try {
      yield* text;
    } catch (error) {
      throw storageFailure(error);
    }
  }

  const receive = async (target: WriteTarget, data: DataConnection): Promise<void> => {
    const lineEnds = plan.what === 'upload' && plan.ascii ? createLocalLineEnds() : undefined;
    for (;;) {
      const chunks = await data.read();
      if (chunks === undefined) break;
      let arrivedBytes = 0;
      for (const chunk of chunks) arrivedBytes += chunk.length;
      tally.bytes += arrivedBytes;
      await asked(() => target.write(lineEnds === undefined ? chunks : chunks.map((chunk) => lineEnds.push(chunk))));
      if (keepsNothing(target)) data.reuse(chunks);
      await pace.moved(arrivedBytes, stop.signal);
    }
    const held = lineEnds?.flush();
    if (held !== undefined && held.length > 0) await asked(() => target.write([held]));
    if (stop.signal.aborted) throw new Error('aborted');
    isCommitting = true;
    await asked(() => target.commit());
    // The upload is safe; a client that is in a hurry to close takes nothing from it.
    data.finish();
  };

  return {
    plan,
    tally,
    abort: () => stop.abort(),
    run,
  };
}

async function open(plan: TransferPlan, fileSystem: FileSystem, signal: AbortSignal): Promise<Opened> {
  switch (plan.what) {
    case 'download': {
      const source = valueOf(await fileSystem.read(plan.path, { startBytes: plan.startBytes, signal }));
      return { what: 'download', source, restBytes: Math.max(0, source.sizeBytes - plan.startBytes) };
    }
    case 'upload':
      if (fileSystem.write === undefined) throw new FileFailure('unsupported');
      return { what: 'upload', target: valueOf(await fileSystem.write(plan.path, { ...plan.options, signal })) };
    case 'listing':
      return { what: 'listing', listing: valueOf(await openListing(fileSystem, plan.request)) };
  }
}

async function closeFile(file: Opened | undefined, isCommitting: boolean): Promise<void> {
  if (file?.what === 'download') await file.source.close();
  if (file?.what === 'upload' && !isCommitting) await file.target.abort();
}
