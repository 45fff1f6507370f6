// For authors of file systems.

export { describeFileSystem, type FileSystemSubject } from './file-system-suite.ts';
