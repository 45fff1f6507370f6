// For programs that serve files over FTP, and for file systems of one's own.

export { createFtpServer, type FtpServerOptions } from './server.ts';
export { DEFAULT_FTP_LIMITS, ftpProtocol, type FtpLimits, type FtpOptions } from './protocol.ts';
export { ftpCommand } from './cli.ts';
export { accountsAuthenticator, type Account, type Authenticate, type Login } from './accounts.ts';
export type { TransferReport } from './transfer-report.ts';
export type { PassiveAddressOption } from './passive-address.ts';
export { diskFileSystem, type DiskFileSystemOptions, type SymlinkPolicy } from './disk-file-system.ts';
export { memoryFileSystem, type MemoryFileSystemOptions } from './memory-file-system.ts';
export type { Entry, FileProblem, FileSystem, ReadSource, WriteOptions, WriteTarget } from './file-system.ts';
export type { AbsolutePath } from './path.ts';
