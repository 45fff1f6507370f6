// Addresses and endpoints as values: parsing and writing them, ranges, who may connect. No sockets.

export { formatAddress, isIpv4, isIpv6, limitKey, normalizeIp, type Address, type IpFamily } from './address.ts';
export { CidrTable, parseCidr } from './cidr-table.ts';
export { createAccessRules, type AccessRules, type AccessVerdict } from './access-rules.ts';
export { formatEndpoint, parseEndpoint, type Endpoint, type EndpointProblem } from './endpoint.ts';
