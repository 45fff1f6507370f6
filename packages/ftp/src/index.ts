// For programs that serve files over FTP, and for file systems of one's own.

export { createFtpServer, type FtpServerOptions } from './server.ts';
export { DEFAULT_FTP_LIMITS, ftpProtocol, type FtpLimits, type FtpOptions } from './protocol.ts';
export { ftpCommand, xferlog } from './cli.ts';
export { accountsAuthenticator, anyAuthenticator, type Account, type AnonymousGrant } from './users/accounts.ts';
export { passwordFile, type PasswordFileOptions } from './users/password-file.ts';
export type { PasswordEntry } from './users/password-entries.ts';
export type { Authenticate, Credentials, Grant, Login, UserLimits, Verdict } from './users/login.ts';
export { NAMED_RIGHTS, type NamedRights, type Rights, type RightsOption, type RightsRule } from './users/rights.ts';
export type { TransferReport } from './transfer-report.ts';
export type { CommandAnswer, SiteCommand } from './session-state.ts';
export type { PassivePorts } from './data-channel.ts';
export type { DataPeers } from './data-peers.ts';
export type { PassiveAddressOption } from './passive-address.ts';
export type { Rates } from './user-sessions.ts';
export { diskFileSystem, type DiskFileSystemOptions } from './storage/disk-file-system.ts';
export { sweepUploads } from './storage/disk-parts.ts';
export type { SymlinkPolicy } from './storage/disk-place.ts';
export { atomicUploads, type AtomicUploadsOptions } from './storage/atomic-uploads.ts';
export { mount } from './storage/mount.ts';
export { quota, type QuotaOptions } from './storage/quota.ts';
export { readOnly } from './storage/read-only.ts';
export { readSourceFrom, writeTargetTo, type WriteTargetEnds } from './storage/stream-files.ts';
export { uploadSink, type SinkUpload, type UploadSinkOptions } from './storage/upload-sink.ts';
export { memoryFileSystem, type MemoryFileSystemOptions } from './storage/memory-file-system.ts';
export type {
  Caller,
  CompleteFileSystem,
  CreateOptions,
  Entry,
  FileProblem,
  FileSystem,
  FileTimes,
  HashAlgorithm,
  HashRequest,
  LinkOptions,
  ListOptions,
  ReadOptions,
  ReadSource,
  Space,
  StatOptions,
  WriteOptions,
  WriteTarget,
} from './file-system.ts';
export type {
  CommandEvent,
  DeleteEvent,
  DisconnectEvent,
  FtpHooks,
  HookSession,
  ListEvent,
  LoginEvent,
  PathEvent,
  Refusal,
  RenameEvent,
  TransferEvent,
  UploadEvent,
} from './hooks.ts';
export { UTF8, type Charset } from './charset.ts';
export { legacyCharset } from './legacy-charset.ts';
export type { AbsolutePath } from './path.ts';
// What the methods of a file system answer with.
export { fail, ok, type Result } from '@wellknown/core';
