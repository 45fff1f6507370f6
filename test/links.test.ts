// Every link within the documents leads somewhere: to a file that is there, and to a heading that it has.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './programs.ts';

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const filesOf = (folder: string): string[] => readdirSync(path.join(ROOT, folder)).map((name) => `${folder}/${name}`);

const DOCUMENTS = [
  ...['.', 'docs', 'docs/compliance', 'deploy', 'examples'].flatMap(filesOf),
  ...filesOf('packages').map((folder) => `${folder}/README.md`),
].filter((file) => file.endsWith('.md'));

const withoutCode = (text: string): string => text.replace(/^```[^]*?^```$/gm, '');

/** The anchors of a document's headings, as GitHub makes them. */
const anchorsOf = (document: string): string[] =>
  [...withoutCode(read(document)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test.each(DOCUMENTS)('every link in %s leads to a file and a heading that are there', (document) => {
  const broken = [...withoutCode(read(document)).matchAll(/\]\((?!\w+:)([^)\s#]*)#?([^)\s]*)\)/g)]
    .filter(([, file = '', anchor = '']) => {
      const target = file === '' ? document : path.join(path.dirname(document), file);
      return !existsSync(path.join(ROOT, target)) || (anchor !== '' && !anchorsOf(target).includes(anchor));
    })
    .map(([link]) => link);
  expect(broken).toEqual([]);
});
