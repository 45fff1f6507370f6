// A file that is known, as the response to a request: which representation of it, from memory or the disk, kept or
// compressed.

import type { OwnBytes } from '../fetch/content.ts';
import { mayBeConditional } from '../fetch/request.ts';
import { responseOf, type HttpResponse } from '../fetch/response.ts';
import type { Compressor, GeneratedCoding } from './compression.ts';
import type { OpenFile } from './disk-file.ts';
import { chooseCoding } from './encoding.ts';
import type { FileCache, KnownFile, Representation } from './file-cache.ts';
import type { FileFinder } from './file-finder.ts';
import {
  decidedResponse,
  fileHeaders,
  fileResponse,
  isSettled,
  type FileContent,
  type FileResponseContext,
} from './file-response.ts';
import type { ResponseFields } from './response-fields.ts';

const IMMUTABLE = 'public, max-age=31536000, immutable';

/** One request, on its way through what was found for it. */
export interface Question {
  readonly request: Request;
  readonly target: string;
  readonly nowMs: number;
  /** The client came by TLS, where that makes a difference. */
  readonly isSecure: boolean;
  /** What changes now is not looked at again. */
  readonly isLastAttempt: boolean;
}

/** What a responder needs to know of its site. */
export interface FileResponderParts {
  readonly cache: FileCache;
  readonly finder: FileFinder;
  readonly compressor: Compressor | undefined;
  readonly fields: ResponseFields;
  readonly cacheControl: string;
  readonly immutable: RegExp | undefined;
  readonly appendOnly: RegExp | undefined;
}

export class FileResponder {
  readonly #parts: FileResponderParts;
  readonly #cache: FileCache;
  readonly #finder: FileFinder;

  constructor(parts: FileResponderParts) {
    this.#parts = parts;
    this.#cache = parts.cache;
    this.#finder = parts.finder;
  }

  /** What needs no content that is not in memory. Nothing is waited for. */
  responseFromMemory(question: Question, known: KnownFile): HttpResponse | undefined {
    const { request, isSecure } = question;
    const representation = representationFor(request, known);
    if (!mayBeConditional(request)) return keptResponse(representation, isSecure);
    const context = this.#contextOf(known, representation, question, []);
    const { kept } = representation;
    return kept === undefined
      ? decidedResponse(request, known, representation, context)
      : fileResponse(request, known, representation, kept.bytes, context);
  }

  /**
   * Undefined when the file changed before it could be read: look again. Takes `file`, the original if it is open
   * already. `variesOn`: fields that led to this file, beside Accept-Encoding.
   */
  async respond(
    question: Question,
    known: KnownFile,
    file: OpenFile | undefined,
    variesOn: readonly string[] = [],
  ): Promise<HttpResponse | undefined> {
    const { request } = question;
    const representation = representationFor(request, known);
    const context = this.#contextOf(known, representation, question, variesOn);
    const { kept } = representation;
    if (kept !== undefined) {
      file?.close();
      const needsOwnResponse = variesOn.length > 0 || mayBeConditional(request);
      return needsOwnResponse
        ? fileResponse(request, known, representation, kept.bytes, context)
        : keptResponse(representation, question.isSecure);
    }
    // What is known is as fresh as it has to be: no file is opened to say so.
    const decided = mayBeConditional(request) ? decidedResponse(request, known, representation, context) : undefined;
    if (decided !== undefined) {
      file?.close();
      return decided;
    }
    if (representation.generated !== undefined) {
      const bytes = await this.#compress(known, representation, representation.generated, context);
      if (bytes === undefined) return this.#respondWithContent(question, known, known.original, file, context);
      file?.close();
      return fileResponse(request, known, representation, bytes, context);
    }
    return this.#respondWithContent(question, known, representation, file, context);
  }

  /** With the content of a file. `file` is the original, if it is open already. */
  async #respondWithContent(
    question: Question,
    known: KnownFile,
    representation: Representation,
    file: OpenFile | undefined,
    context: FileResponseContext,
  ): Promise<HttpResponse | undefined> {
    const { request, nowMs } = question;
    let open = file;
    if (open === undefined || representation.segments !== known.original.segments) {
      const reopened = await this.#finder.open(representation);
      if (!reopened.ok && representation !== known.original) {
        // Unreadable, or it leads out of the root: none of that makes the original any less there.
        this.#finder.forgetSidecar(known, representation);
        return this.respond(question, known, file, context.variesOn);
      }
      open?.close();
      if (!reopened.ok) {
        this.#cache.delete(known.path);
        return undefined;
      }
      open = reopened.value;
    }
    const { byteLength } = representation.facts;
    let content: FileContent | undefined = open;
    const isWhole = request.method !== 'HEAD' && !mayBeConditional(request);
    if (this.#cache.mayKeep(known, byteLength, nowMs, isWhole)) {
      // Before the head leaves, a file that changes can still be read again.
      known.isBeingKept = true;
      content = await open.readPart(0, byteLength, context.firstGrowth);
      known.isBeingKept = false;
      if (content !== undefined && isSettled(representation.facts, nowMs))
        this.#keep(known, representation, content, context);
    }
    const response = content && (await fileResponse(request, known, representation, content, context));
    if (response === undefined) this.#cache.delete(known.path);
    return response;
  }

  /** Undefined where that is not worth it, or can't be done just now. */
  async #compress(
    known: KnownFile,
    representation: Representation,
    coding: GeneratedCoding,
    context: FileResponseContext,
  ): Promise<OwnBytes | undefined> {
    const { original } = known;
    const bytes = await this.#parts.compressor?.compress(representation, coding, async () => {
      if (original.kept !== undefined) return original.kept.bytes;
      const opened = await this.#finder.open(original);
      return opened.ok ? opened.value.readPart(0, original.facts.byteLength, 'change') : undefined;
    });
    if (bytes === undefined) return undefined;
    if (bytes.length >= original.facts.byteLength) {
      this.#finder.forgetGenerated(known);
      return undefined;
    }
    if (this.#cache.mayKeepGenerated(bytes.length) && isSettled(original.facts, context.nowMs))
      this.#keep(known, representation, bytes, context);
    return bytes;
  }

  /** Keeps a content with the responses that consist of it. */
  #keep(known: KnownFile, representation: Representation, bytes: OwnBytes, context: FileResponseContext): void {
    const { fields } = this.#parts;
    const make = (isSecure: boolean): HttpResponse => {
      const headers = fileHeaders(known, representation, { ...context, variesOn: [] });
      const response = responseOf(bytes, {
        headers: fields.isEmpty ? headers : fields.added(headers, known.plainPath, isSecure),
      });
      keptResponses.add(response);
      return response;
    };
    const response = make(false);
    this.#cache.keep(known, representation, {
      bytes,
      response,
      responseOverTls: fields.dependsOnScheme ? make(true) : response,
    });
  }

  #contextOf(
    known: KnownFile,
    representation: Representation,
    question: Question,
    variesOn: readonly string[],
  ): FileResponseContext {
    const cacheControl = this.#parts.immutable?.test(known.plainPath) === true ? IMMUTABLE : this.#parts.cacheControl;
    return { nowMs: question.nowMs, cacheControl, variesOn, ...this.#growthOf(known, representation, question) };
  }

  /**
   * A file that is being written while it is asked for is sent as long as it was: it has no strong tag, so its parts are
   * never put together with others. While nothing has been said of it, it is rather looked at again.
   */
  #growthOf(
    { plainPath }: KnownFile,
    { facts }: Representation,
    { nowMs, isLastAttempt }: Question,
  ): Pick<FileResponseContext, 'growth' | 'firstGrowth'> {
    if (this.#parts.appendOnly?.test(plainPath) === true) return { growth: 'append', firstGrowth: 'append' };
    const growth = isSettled(facts, nowMs) ? 'change' : 'append';
    return { growth, firstGrowth: isLastAttempt ? growth : 'change' };
  }
}

function representationFor(request: Request, known: KnownFile): Representation {
  if (known.codings.length === 0) return known.original;
  const coding = chooseCoding(request.headers.get('accept-encoding'), known.codings);
  if (coding === undefined) return known.original;
  const sidecar = known.sidecars.find((each) => each.coding === coding);
  if (sidecar !== undefined || request.headers.has('range')) return sidecar ?? known.original;
  return known.generated.find((each) => each.coding === coding) ?? known.original;
}

const keptResponses = new WeakSet<HttpResponse>();
/** It is sent again and again: it has all fields already, and is not to be changed. */
export const isKept = (response: HttpResponse): boolean => keptResponses.has(response);

const keptResponse = ({ kept }: Representation, isSecure: boolean): HttpResponse | undefined =>
  isSecure ? kept?.responseOverTls : kept?.response;
