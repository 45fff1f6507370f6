// A strict HTTP/1.1 engine with fetch handlers and static files.

export type { FetchHandler, RequestContext, UpgradedConnection } from './handler.ts';
export type { ClientFacts, ForwardedField, TrustedProxies } from './semantics/forwarded.ts';
export { openAccessLog, type AccessLogFile } from '@wellknown/core';
export { redirectToHttps } from './redirect.ts';
export { basicAuth, type BasicAuthOptions } from './auth/basic-auth.ts';
export { DEFAULT_PASSWORD_CHECKS, type PasswordCheckLimits } from '@wellknown/passwords';
export { parsePasswordFile, type PasswordHashes } from './auth/password-file.ts';
export { combinedLine, type AccessEntry } from './access-log/access-entry.ts';
export type { ContentSource, ResponseContent } from './fetch/content.ts';
export type { ResponseHeaders } from './fetch/field-set.ts';
export { HttpResponse, type HttpResponseInit } from './fetch/response.ts';
export type { ResponseBody } from './fetch/response-init.ts';
export { HttpRequest } from './fetch/request.ts';
export { httpProtocol, type HttpProtocolOptions } from './protocol.ts';
export type { HalfClose } from './exchange/service.ts';
export { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts';
export { serveFiles, type ServeFilesOptions } from './static/serve-files.ts';
export { DEFAULT_COMPRESSION, type CompressionLimits } from './static/compression.ts';
export type { ErrorStatus } from './static/error-pages.ts';
export type { HeaderRule } from './static/response-fields.ts';
export type { SymlinkPolicy } from './static/disk.ts';
export { DEFAULT_FILE_CACHE, type FileCacheLimits } from './static/file-cache.ts';
export { createHttpServer, type HttpServerOptions } from './server.ts';
export { httpCommand } from './cli.ts';
