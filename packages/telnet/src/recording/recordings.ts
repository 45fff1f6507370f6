// The recordings of one session: any number at a time, mostly none.

import {
  createRecorder,
  type Recorder,
  type RecorderParts,
  type RecordingSink,
  type RecordOptions,
} from './recorder.ts';

export interface RecordingsParts extends Pick<RecorderParts, 'clock' | 'isMasked'> {
  readonly terminal: () => RecorderParts['terminal'];
}

export interface Recordings extends Pick<Recorder, 'output' | 'resized'> {
  /** Begins another. Returns what ends it. */
  add(sink: RecordingSink, options: RecordOptions): () => void;
}

export function createRecordings({ clock, isMasked, terminal }: RecordingsParts): Recordings {
  const recorders = new Set<Recorder>();
  return {
    add(sink, options) {
      const recorder = createRecorder(sink, options, { clock, isMasked, terminal: terminal() });
      recorders.add(recorder);
      return () => {
        recorder.stop();
        recorders.delete(recorder);
      };
    },
    output(data) {
      for (const recorder of recorders) recorder.output(data);
    },
    resized(columns, rows) {
      for (const recorder of recorders) recorder.resized(columns, rows);
    },
  };
}
