// A strict HTTP/1.1 engine with fetch handlers and static files.

export type { FetchHandler, RequestContext } from './handler.ts';
export type { ClientFacts, ForwardedField } from './semantics/forwarded.ts';
export type { UpgradedConnection } from './fetch/upgrade.ts';
export { openAccessLog, type AccessLogFile } from './access-log/access-log-file.ts';
export { redirectToHttps } from './fetch/redirect.ts';
export { combinedLine, type AccessEntry } from './semantics/access-entry.ts';
export type { TrustedProxies } from './exchange/service.ts';
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
