// The scheme, host and port of requests, as their URLs have them.

/** The origins of one connection's requests. Clients name the same host again and again. */
export class OriginCache {
  readonly #scheme: 'http' | 'https';
  #authority: string | undefined;
  #origin = '';

  constructor(scheme: 'http' | 'https') {
    this.#scheme = scheme;
  }

  /** As the URL parser writes it. An authority that it does not take, or none (HTTP/1.0), is `localhost`. */
  originOf(authority: string): string {
    if (authority !== this.#authority) {
      this.#authority = authority;
      const url = `${this.#scheme}://${authority}`;
      this.#origin = URL.canParse(url) ? new URL(url).origin : `${this.#scheme}://localhost`;
    }
    return this.#origin;
  }
}
