import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameOf, parentOf, partsOf, resolvePath } from '../src/path.ts';

/** The path; one that is refused fails the test. */
function resolved(cwd: string, argument: string): string {
  const path = resolvePath(cwd, argument);
  if (!path.ok) throw new Error(`${JSON.stringify(argument)} was refused: ${path.error}`);
  return path.value;
}

describe('resolvePath', () => {
  test.each([
    ['/', '', '/'],
    ['/a', '', '/a'],
    ['/a', 'b', '/a/b'],
    ['/a', '/b', '/b'],
    ['/a', '..', '/'],
    ['/', '../../..', '/'],
    ['/a/b', '../../../etc/passwd', '/etc/passwd'],
    ['/a', './/b/./c/', '/a/b/c'],
    ['/', '...', '/...'],
    ['/', ' a ', '/ a '],
    ['/', '..\\..\\x', '/..\\..\\x'],
    ['/', '%2e%2e/x', '/%2e%2e/x'],
    ['/a', '~', '/a/~'],
  ])('from %s, %j is %s', (cwd, argument, expected) => {
    expect(resolvePath(cwd, argument)).toEqual({ ok: true, value: expected });
  });

  test.each(['a\0', 'a\r', 'a\nb', '\0'])('%j is refused', (argument) => {
    expect(resolvePath('/', argument)).toEqual({ ok: false, error: 'bad-path' });
  });

  test('whatever is asked, the result is absolute, has no dots, and resolving it again changes nothing', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', 'a', '\\', '...', '~'), fc.string());
    const argument = fc.array(part).map((parts) => parts.join('/').replace(/[\0\r\n]/g, ''));
    fc.assert(
      fc.property(argument, argument, (first, second) => {
        const path = resolved(resolved('/', first), second);
        expect(path.startsWith('/')).toBe(true);
        expect(path.slice(1).split('/')).not.toContain('..');
        expect(partsOf(path)).not.toContain('.');
        expect(resolved('/anywhere', path)).toBe(path);
      }),
    );
  });
});

test('a path is its parent and its name', () => {
  expect([parentOf('/a/b'), nameOf('/a/b')]).toEqual(['/a', 'b']);
  expect([parentOf('/a'), nameOf('/a')]).toEqual(['/', 'a']);
  expect([parentOf('/'), nameOf('/')]).toEqual(['/', '']);
});
