import { lookup } from 'mrmime';

/**
 * The media type for a file name, with a charset for text; `application/octet-stream` when the extension says nothing.
 */
export function mediaTypeOf(fileName: string): string {
  const type = lookup(fileName) ?? 'application/octet-stream';
  // Files are served as they lie on the disk, and those of today are UTF-8.
  return type.startsWith('text/') || type === 'image/svg+xml' ? `${type};charset=utf-8` : type;
}
