// The text of a configuration file in, its value with the places of its keys out. Loads the parser of the format when it
// is needed: most starts need none, and none needs two.

import type { Document, ErrorCode, LineCounter, Node } from 'yaml';
import type { AST } from 'toml-eslint-parser';
import { Places, type Path, type Place, type Problem } from './places.ts';

export type TextFormat = 'json' | 'yaml' | 'toml';

export interface Parsed {
  readonly value: unknown;
  readonly places: Places;
  /** Of the syntax. Where there is one, the value means nothing. */
  readonly problems: readonly (Problem & { readonly place?: Place | undefined })[];
}

const EMPTY = { value: undefined, places: new Places() };

/** Never rejects for what is in the text. */
export async function parseText(text: string, format: TextFormat): Promise<Parsed> {
  const plain = text.replace(/^\uFEFF/, '');
  if (format === 'toml') return parseToml(plain);
  const yaml = await parseYaml(plain);
  // YAML takes more than JSON does, and says less of what is wrong with it.
  return format === 'json' ? (problemOfJson(plain) ?? yaml) : yaml;
}

function problemOfJson(text: string): Parsed | undefined {
  const said = jsonError(text);
  if (said === undefined) return undefined;
  const message = said.replace(/ in JSON at position.*| at position.*|, \.*"[^]*/, '');
  return {
    ...EMPTY,
    problems: [{ path: [], message: `this is no JSON: ${message}`, place: placeAt(text, jsonErrorAt(text)) }],
  };
}

function jsonError(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Not every Node tells the position. Where a beginning of the text fails for another reason than that it ends, it is in there. */
function jsonErrorAt(text: string): number {
  const isFine = (length: number): boolean => {
    const said = jsonError(text.slice(0, length));
    if (said === undefined || /end of JSON input|Unterminated string/.test(said)) return true;
    return Number(/at position (\d+)/.exec(said)?.[1] ?? -1) >= length;
  };
  let [fine, wrong] = [0, text.length + 1];
  while (wrong - fine > 1) {
    const middle = Math.floor((fine + wrong) / 2);
    if (middle <= text.length && isFine(middle)) fine = middle;
    else wrong = middle;
  }
  // Of a text that ends too early: behind its last sign.
  return Math.min(fine, text.trimEnd().length);
}

function placeAt(text: string, position: number): Place {
  const before = text.slice(0, position).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Where the parser speaks to who calls it. */
const YAML_PROBLEMS: Readonly<Partial<Record<ErrorCode, string>>> = {
  DUPLICATE_KEY: 'this key is there twice: keys are unique',
  MULTIPLE_DOCS: "a second document begins here ('---'), allowed is one",
  BLOCK_AS_IMPLICIT_KEY:
    'a value stands behind this key already: the lines below it begin too far to the right, or it is one',
  TAB_AS_INDENT: 'tabs are not allowed as indentation: use spaces',
  BAD_DQ_ESCAPE: 'a backslash escapes in double quotes: write it twice, or use single quotes',
};

async function parseYaml(text: string): Promise<Parsed> {
  const { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } = await import('yaml');
  const counter: LineCounter = new LineCounter();
  const document: Document = parseDocument(text, { lineCounter: counter, merge: true, prettyErrors: false });
  const placeOf = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0)
    return {
      ...EMPTY,
      problems: document.errors.map(({ code, message, pos }) => ({
        path: [],
        message: YAML_PROBLEMS[code] ?? message,
        place: placeOf(pos[0]),
      })),
    };
  const places = new Places();
  const visit = (node: unknown, path: Path): void => {
    if (isAlias(node)) return;
    if (isMap(node))
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? String(key.value) : '';
        const offset = (key as Node).range?.[0];
        if (offset !== undefined) places.add([...path, name], placeOf(offset));
        visit(value, [...path, name]);
      }
    else if (isSeq(node))
      for (const [index, item] of node.items.entries()) {
        const offset = (item as Node).range?.[0];
        if (offset !== undefined) places.add([...path, index], placeOf(offset));
        visit(item, [...path, index]);
      }
  };
  places.add([], { line: 1, column: 1 });
  visit(document.contents, []);
  try {
    return { value: document.toJS(), places, problems: [] };
  } catch (error) {
    // More aliases than a file for people has: YAML's billion laughs.
    const message = error instanceof Error ? error.message : String(error);
    return { ...EMPTY, problems: [{ path: [], message }] };
  }
}

async function parseToml(text: string): Promise<Parsed> {
  const { getStaticTOMLValue, parseTOML, ParseError } = await import('toml-eslint-parser');
  const places = new Places();
  const add = (path: Path, { loc }: { readonly loc: AST.SourceLocation }): void =>
    places.add(path, { line: loc.start.line, column: loc.start.column + 1 });
  const visitValue = (node: AST.TOMLContentNode, path: Path): void => {
    if (node.type === 'TOMLArray')
      for (const [index, element] of node.elements.entries()) {
        add([...path, index], element);
        visitValue(element, [...path, index]);
      }
    if (node.type === 'TOMLInlineTable') for (const pair of node.body) visitPair(pair, path);
  };
  const visitPair = ({ key, value }: AST.TOMLKeyValue, path: Path): void => {
    const whole = [...path];
    for (const part of key.keys) {
      whole.push(part.type === 'TOMLBare' ? part.name : part.value);
      add([...whole], part);
    }
    visitValue(value, whole);
  };
  try {
    const program = parseTOML(text);
    places.add([], { line: 1, column: 1 });
    for (const node of program.body[0].body) {
      if (node.type === 'TOMLKeyValue') visitPair(node, []);
      else {
        add(node.resolvedKey, node.key);
        for (const pair of node.body) visitPair(pair, node.resolvedKey);
      }
    }
    return { value: getStaticTOMLValue(program), places, problems: [] };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    // It finds out that a value is missing where the next line begins.
    const isLate = error.column === 0 && error.message.startsWith('Unspecified values');
    const place = { line: error.lineNumber - (isLate ? 1 : 0), column: error.column + 1 };
    return { ...EMPTY, problems: [{ path: [], message: `this is no TOML: ${error.message}`, place }] };
  }
}
