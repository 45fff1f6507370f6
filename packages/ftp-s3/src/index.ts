// Object storage for the FTP server.

export { s3FileSystem, type S3FileSystemOptions } from './s3-file-system.ts';
