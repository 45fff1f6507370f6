// The PROXY protocol, versions 1 and 2: reading headers, writing them, and what their TLVs say. No sockets.

export {
  createProxyParser,
  PROXY_TLV,
  type ProxyHeader,
  type ProxyParser,
  type ProxyStep,
  type ProxyTlv,
} from './parser.ts';
export { buildProxyHeader } from './builder.ts';
export { proxyDetails, type ProxyDetails } from './details.ts';
