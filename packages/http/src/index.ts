// A strict HTTP/1.1 engine with fetch handlers and static files.

export type { FetchHandler, RequestContext, UpgradedConnection } from './handler.ts';
export type { ClientFacts, ForwardedField, TrustedProxies } from './semantics/forwarded.ts';
export { openAccessLog, type AccessLogFile } from '@wellknown/core';
export { redirectToHttps } from './redirect.ts';
export { combinedLine, type AccessEntry } from './access-log/access-entry.ts';
export {
  HttpResponse,
  type ContentSource,
  type HttpResponseInit,
  type ResponseContent,
  type ResponseHeaders,
} from './fetch/response.ts';
export { HttpRequest } from './fetch/request.ts';
export { httpProtocol, type HttpProtocolOptions } from './protocol.ts';
export { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts';
export { serveFiles, type ServeFilesOptions } from './static/serve-files.ts';
export type { SymlinkPolicy } from './static/disk.ts';
export { DEFAULT_FILE_CACHE, type FileCacheLimits } from './static/file-cache.ts';
export { createHttpServer, type HttpServerOptions } from './server.ts';
export { httpCommand } from './cli.ts';
