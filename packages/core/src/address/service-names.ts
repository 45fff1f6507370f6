// The well-known ports this project speaks of, by name (IANA service names). Not all of /etc/services: a listener on a
// name outside this table is a misprint more often than a wish, and the file's content differs between systems.

export const SERVICE_PORTS: Readonly<Record<string, number>> = {
  echo: 7,
  discard: 9,
  daytime: 13,
  chargen: 19,
  'ftp-data': 20,
  ftp: 21,
  telnet: 23,
  time: 37,
  http: 80,
  'http-alt': 8080,
  https: 443,
  stamp: 862,
  'ftps-data': 989,
  ftps: 990,
  telnets: 992,
};

/** The port of a service name, or undefined. Names are case-insensitive (RFC 6335 §5.1). */
export function portFromServiceName(name: string): number | undefined {
  const key = name.toLowerCase();
  return Object.hasOwn(SERVICE_PORTS, key) ? SERVICE_PORTS[key] : undefined;
}
