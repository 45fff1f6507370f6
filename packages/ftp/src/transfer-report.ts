/** What became of one transfer. */
export interface TransferReport {
  readonly user: string;
  readonly remoteAddress: string;
  readonly direction: 'download' | 'upload' | 'listing';
  readonly path: string;
  /** As they travelled. */
  readonly bytes: number;
  readonly elapsedMs: number;
  /** False for anything but a 226: an upload that is not complete must not be taken for one. */
  readonly isComplete: boolean;
  /** It went over TLS. */
  readonly isPrivate: boolean;
}
