import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  childPath,
  depthOf,
  isNodeName,
  isWithin,
  nameOf,
  NodeName,
  parentOf,
  Path,
  ROOT,
} from '../../src/protocol/path.ts';

const names = fc.stringMatching(/^[\p{L}\p{N}_][\p{L}\p{N}_.\- ]{0,9}$/u);
const paths = fc.array(names, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));

describe('a name', () => {
  test.each([
    'root',
    'gdp-analyst',
    'a',
    '0',
    '_',
    'a.b',
    'two words',
    '__proto__',
    'constructor',
    'Größe',
    '国内総生産',
    'x'.repeat(128),
  ])('may be %s', (name) => {
    expect([isNodeName(name), NodeName.safeParse(name).success, Path.safeParse(name).success]).toEqual([
      true,
      true,
      true,
    ]);
  });
  test.each<[string, unknown]>([
    ['empty', ''],
    ['a dot', '.'],
    ['two dots', '..'],
    ['hidden', '.env'],
    ['an option', '-rf'],
    ['led by a space', ' a'],
    ['with a slash', 'a/b'],
    ['with a backslash', 'a\\b'],
    ['with a hash', 'a#b'],
    ['with a tilde', 'a~2'],
    ['with a colon', 'a:plan'],
    ['with a NUL', 'a\0b'],
    ['with a line break', 'a\nb'],
    ['ending in a line break', 'a\n'],
    ['with an escape', 'a\u001b[31m'],
    ['with a right-to-left override', 'a\u202Eb'],
    ['with a right-to-left mark', 'a\u200Fb'],
    ['with a zero-width space', 'a\u200Bb'],
    ['with a byte order mark', '\uFEFFa'],
    ['with half a character', 'a\uD800'],
    ['with a no-break space', 'a\u00A0b'],
    ['too long', 'x'.repeat(129)],
    ['undefined', undefined],
    ['a number', 7],
    ['an array', ['a']],
  ])('may not be %s', (_, name) => {
    expect([isNodeName(name), NodeName.safeParse(name).success]).toEqual([false, false]);
  });
});

describe('a path', () => {
  test.each(['', '/', 'root/', '/root', 'root//a', 'root/../etc', 'root/a#b', 'root/\0'])('may not be %j', (path) => {
    expect(Path.safeParse(path).success).toBe(false);
  });
  it('is its parent and its name', () => {
    fc.assert(
      fc.property(paths, names, (parent, name) => {
        const path = childPath(parent, name);
        expect([nameOf(path), parentOf(path), depthOf(path)]).toEqual([name, parent, depthOf(parent) + 1]);
        expect(Path.safeParse(path).success).toBe(true);
      }),
    );
  });
  it('of the root has depth 0 and no parent; what stands above it has no name', () => {
    expect([depthOf(ROOT), parentOf(ROOT), nameOf(ROOT), childPath('', ROOT)]).toEqual([0, '', ROOT, ROOT]);
  });
  it('lies within every path above it and itself, and within no other', () => {
    fc.assert(
      fc.property(paths, paths, names, (path, other, name) => {
        for (let above = path; above !== ''; above = parentOf(above)) expect(isWithin(path, above)).toBe(true);
        expect(isWithin(path, childPath(path, name))).toBe(false);
        expect(isWithin(`${path}x`, path)).toBe(false);
        expect(isWithin(path, other)).toBe(`${path}/`.startsWith(`${other}/`));
      }),
    );
  });
});
