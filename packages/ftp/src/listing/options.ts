// What may stand before the path of LIST, NLST and STAT. RFC 959 knows no options, but clients send those of `ls`, and
// expect at least that they are not taken for a name.

export interface ListOptions {
  /** `-l` for NLST, `-1` for LIST: the form of the other one. */
  readonly form: 'long' | 'names' | undefined;
  /** `-t`: the newest first. `-S`: the largest first. */
  readonly sort: 'time' | 'size' | undefined;
  /** `-r`: the other way round. */
  readonly reverse: boolean;
  /** `-d`: the directory itself and not what is in it. */
  readonly directoryItself: boolean;
  /** `-L`: what links lead to and not the links. */
  readonly followLinks: boolean;
}

export const NO_LIST_OPTIONS: ListOptions = {
  form: undefined,
  sort: undefined,
  reverse: false,
  directoryItself: false,
  followLinks: false,
};

const EFFECTS: Readonly<Record<string, Partial<ListOptions>>> = {
  l: { form: 'long' },
  '1': { form: 'names' },
  t: { sort: 'time' },
  S: { sort: 'size' },
  r: { reverse: true },
  d: { directoryItself: true },
  L: { followLinks: true },
};

/**
 * Splits an argument into options and path. Letters that are not known are passed over; `-a` and `-A` are no news, for
 * nothing is ever hidden. A file whose name begins with a hyphen is reached by `./-name` or behind `--`.
 */
export function parseListArgument(argument: string): { readonly options: ListOptions; readonly path: string } {
  const [text = ''] = /^(?:-[A-Za-z0-9]*(?: +|$))*(?:--(?: +|$))?/.exec(argument) ?? [];
  let options = NO_LIST_OPTIONS;
  for (const letter of text.replace(/[- ]/g, '')) options = { ...options, ...EFFECTS[letter] };
  return { options, path: argument.slice(text.length) };
}
