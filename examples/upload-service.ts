// What devices upload by FTP goes on to a web hook, byte by byte, and is stored nowhere: cameras and scanners meet a
// program that speaks HTTP. `node upload-service.ts tcp://127.0.0.1:8021 http://127.0.0.1:9000/uploads`, then
// `curl -T photo.jpg ftp://camera:secret@127.0.0.1:8021/2026/door/`.
//
// A device hears 226 only after the hook has answered 2xx, so that what failed is sent again; 552 and 553 tell it not to.
import { pathToFileURL } from 'node:url';
import { createFtpServer, uploadSink, type FileProblem, type SinkUpload } from '@wellknown/ftp';

/** What a status of the hook means to the device. */
const problemOf = (status: number): FileProblem | undefined => {
  if (status >= 200 && status < 300) return undefined;
  return status === 413 ? 'over-quota' : status === 422 ? 'bad-name' : 'busy';
};

export function uploadService(hook: string, listen: string) {
  const receive = async ({ path, caller, content }: SinkUpload): Promise<FileProblem | undefined> => {
    // A name of bytes that are no UTF-8 can't be said in a header.
    if (/\p{Surrogate}/u.test(path)) return 'bad-name';
    const answer = await fetch(hook, {
      method: 'POST',
      headers: { 'x-path': encodeURI(path), 'x-user': caller?.user ?? '', 'x-address': caller?.remoteAddress ?? '' },
      // The pace is the slowest of the three: the device waits for the hook, and no file is ever in memory. An upload that
      // is cut ends the request with an error, and the hook does not take it for a whole one.
      body: ReadableStream.from(content),
      duplex: 'half',
    });
    // What it says besides is nothing to a device, and unread it would hold the connection.
    await answer.body?.cancel();
    return problemOf(answer.status);
  };
  return createFtpServer({
    fileSystem: uploadSink({ receive, failed: (error) => console.error('the hook failed:', error) }),
    // Devices send pictures without saying TYPE.
    defaultType: 'image',
    accounts: [{ name: 'camera', password: 'secret', rights: 'full' }],
    listen,
  });
}

const [, program = '', listen, hook] = process.argv;
if (import.meta.url === pathToFileURL(program).href && listen !== undefined && hook !== undefined) {
  await uploadService(hook, listen).listen();
  console.log('ready');
}
