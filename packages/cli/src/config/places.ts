// Where in a configuration file a key stands.

/** From 1, both. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export type Path = readonly (string | number)[];

/** What is wrong, and with which key. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** The places of keys and of elements of lists. */
export class Places {
  readonly #byPath = new Map<string, Place>();

  add(path: Path, place: Place): void {
    this.#byPath.set(JSON.stringify(path), place);
  }

  /** That of the path, or of the nearest key around it; undefined where the file has no places, as a module has none. */
  of(path: Path): Place | undefined {
    for (let length = path.length; length >= 0; length -= 1) {
      const place = this.#byPath.get(JSON.stringify(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return undefined;
  }
}

/** `services.web.listen[1]`, as it is written in JavaScript. */
export const pathText = (path: Path): string =>
  path
    .map((part, index) =>
      typeof part === 'number'
        ? `[${part}]`
        : /^[A-Za-z_$][\w$]*$/.test(part)
          ? `${index === 0 ? '' : '.'}${part}`
          : `[${JSON.stringify(part)}]`,
    )
    .join('');
