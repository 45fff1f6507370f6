// Responses that a fetch gave: the platform has decoded their content and left the fields as they came.

import { FieldSet } from './field-set.ts';
import { isInstance, platform } from './platform.ts';

// Each of a list has to be known, or the platform decodes none.
const CODING = /^(?:x-)?gzip$|^deflate$|^br$|^$/;

/** Whether the content is no longer coded as its fields say. */
function isDecoded(response: Response): boolean {
  if (!isInstance(platform().Response, response) || response.url === '') return false;
  const codings = response.headers.get('content-encoding');
  if (codings === null) return false;
  return codings
    .toLowerCase()
    .split(',')
    .every((coding) => CODING.test(coding.trim()));
}

/** What to say of the content of a platform Response: of decoded content neither its former coding nor its length. */
export function fieldsToRelay(response: Response): Headers | FieldSet {
  if (!isDecoded(response)) return response.headers;
  const fields = [...response.headers].filter(([name]) => name !== 'content-encoding' && name !== 'content-length');
  const names = fields.map(([name]) => name);
  return new FieldSet(
    names,
    names,
    fields.map(([, value]) => value),
    false,
    false,
  );
}

/** The same for `new Response(response.body, response)`. */
export function fieldsOfRelayed(given: FieldSet, init: object, body: ReadableStream): FieldSet {
  if (!isInstance(platform().Response, init)) return given;
  const response = init as Response;
  if (response.url === '' || response.body !== body) return given;
  const fields = fieldsToRelay(response);
  return fields instanceof FieldSet ? fields : given;
}
