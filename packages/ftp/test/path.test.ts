import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameOf, parentOf, partsOf, resolvePath } from '../src/path.ts';

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
    fc.assert(
      fc.property(fc.array(part), fc.array(part), (first, second) => {
        const cwd = resolvePath('/', first.join('/'));
        const path = resolvePath(cwd.ok ? cwd.value : '/', second.join('/'));
        if (!path.ok) return;
        expect(path.value.startsWith('/')).toBe(true);
        expect(path.value.slice(1).split('/')).not.toContain('..');
        expect(partsOf(path.value)).not.toContain('.');
        expect(resolvePath('/anywhere', path.value)).toEqual(path);
      }),
    );
  });
});

test('a path is its parent and its name', () => {
  expect([parentOf('/a/b'), nameOf('/a/b')]).toEqual(['/a', 'b']);
  expect([parentOf('/a'), nameOf('/a')]).toEqual(['/', 'a']);
  expect([parentOf('/'), nameOf('/')]).toEqual(['/', '']);
});
