import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { canonicalJson } from '../../src/protocol/digest.ts';
import { Finding, FindingDraft } from '../../src/protocol/finding.ts';
import { adopt, mint, type Said } from '../../src/tier/minting.ts';
import { deepFreeze } from '../../src/protocol/freeze.ts';
import { CRITICAL, draftOf, findingOf } from './samples.ts';

const PATH = 'root/macro/jobs';
const draft = (over: Partial<FindingDraft> = {}) => FindingDraft.parse(draftOf(over));
const minted = (drafts: readonly Partial<FindingDraft>[], said: Said = new Map()) =>
  drafts.map((over, ordinal) => mint(PATH, draft(over), ordinal, said));
const idsOf = (all: readonly { finding: Finding }[]): string[] => all.map(({ finding }) => finding.id);

describe('minting 1: the same id never stands for two different bodies', () => {
  it('ids are the path and the key, else the ordinal', () => {
    expect(idsOf(minted([{ key: 'growth' }, {}, { key: 'level' }]))).toEqual([
      `${PATH}#growth`,
      `${PATH}#1`,
      `${PATH}#level`,
    ]);
  });
  it('the same bytes are the same finding, whatever the order of the keys', () => {
    const said: Said = new Map();
    const [first] = minted([{ key: 'a', value: 1, data: { x: 1, y: 2 } }], said);
    const [again] = minted([{ data: { y: 2, x: 1 }, value: 1, key: 'a' }], said);
    expect(again).toEqual({ finding: first?.finding, isNew: false });
    expect(again?.finding).toBe(first?.finding);
  });
  it('other bytes become ~2, ~3 …; each is found again', () => {
    const said: Said = new Map();
    const bodies = [{ value: 1 }, { value: 2 }, { value: 3 }].map((body) => ({ key: 'a', ...body }));
    expect(idsOf(minted(bodies, said))).toEqual([`${PATH}#a`, `${PATH}#a~2`, `${PATH}#a~3`]);
    expect(minted(bodies.toReversed(), said).map(({ finding, isNew }) => [finding.value, finding.id, isNew])).toEqual([
      [3, `${PATH}#a~3`, false],
      [2, `${PATH}#a~2`, false],
      [1, `${PATH}#a`, false],
    ]);
  });
  it('for any drafts: every body is kept under an id of its own', () => {
    const bodies = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), value: fc.constantFrom(1, 2, 3, 4) }));
    fc.assert(
      fc.property(bodies, (drafts) => {
        const said: Said = new Map();
        const all = minted(drafts, said);
        const bodyOf = ({ finding: { id, ...body } }: { finding: Finding }) => canonicalJson([body, id.split('~')[0]]);
        expect(new Set(idsOf(all)).size).toBe(new Set(all.map(bodyOf)).size);
        expect([...said.keys()].sort()).toEqual([...new Set(idsOf(all))].sort());
        expect(all.filter(({ isNew }) => isNew)).toHaveLength(said.size);
        for (const [id, finding] of said) expect(finding.id).toBe(id);
      }),
    );
  });
  it('an id that a guest numbered itself is not taken twice', () => {
    const said: Said = new Map();
    const given = [findingOf(PATH, 'a'), findingOf(PATH, 'a~2', { value: 2 }), findingOf(PATH, 'a', { value: 3 })];
    const all = given.map((finding) => adopt(PATH, finding, said));
    expect(idsOf(all)).toEqual([`${PATH}#a`, `${PATH}#a~2`, `${PATH}#a~3`]);
    expect(said.size).toBe(3);
  });
  it('a copy of what was said keeps its own count', () => {
    const said: Said = new Map();
    minted(
      [
        { key: 'a', value: 1 },
        { key: 'a', value: 2 },
      ],
      said,
    );
    const copy: Said = new Map(said);
    expect(
      idsOf(
        minted(
          [
            { key: 'a', value: 2 },
            { key: 'a', value: 9 },
          ],
          copy,
        ),
      ),
    ).toEqual([`${PATH}#a~2`, `${PATH}#a~3`]);
    expect(said.size).toBe(2);
  });
  it('10,000 bodies under one key are not compared in pairs', () => {
    const said: Said = new Map();
    for (let value = 0; value < 10_000; value++) mint(PATH, draft({ key: 'a', value }), 0, said);
    expect([...said.keys()].at(-1)).toBe(`${PATH}#a~10000`);
  });
});

describe('minting 2: a minted finding is frozen', () => {
  it('all the way down, and shares nothing with what the author holds', () => {
    const given = { ...draftOf(), flags: ['own'], data: { list: [{ n: 1 }] }, ...CRITICAL };
    const [one] = minted([given]);
    const finding = one?.finding as Finding & { data: { list: { n: number }[] } };
    given.flags.push('later');
    given.data.list[0] = { n: 2 };
    expect(finding).toMatchObject({ flags: ['own'], data: { list: [{ n: 1 }] } });
    for (const held of [finding, finding.flags, finding.source, finding.critical, finding.data.list[0]]) {
      expect(Object.isFrozen(held)).toBe(true);
    }
  });
  it('deepFreeze gives back what it was given', () => {
    const value = { a: [{ b: null }] };
    expect(deepFreeze(value)).toBe(value);
    expect(() => Object.assign(value.a[0] ?? {}, { b: 1 })).toThrow(TypeError);
  });
  it('is valid, and holds what the draft left out', () => {
    fc.assert(
      fc.property(fc.subarray(['value', 'unit', 'measure', 'data', 'source', 'critical'] as const), (given) => {
        const all = {
          value: 1,
          unit: '%',
          measure: 'growth',
          data: { n: 1 },
          source: { kind: 'csv', ref: 'jobs' },
          ...CRITICAL,
        };
        const over = Object.fromEntries(given.map((field) => [field, all[field]]));
        const [one] = minted([over]);
        expect(Finding.parse(one?.finding)).toEqual(one?.finding);
        expect(one?.finding).toEqual({
          id: `${PATH}#0`,
          path: PATH,
          statement: 'It is so',
          stance: 0,
          confidence: 0.5,
          flags: [],
          source: { kind: 'none', ref: 'unsourced' },
          ...over,
        });
      }),
    );
  });
});

describe('minting 3: a finding stands under the node that said it', () => {
  test.each([
    ['its own', PATH, []],
    ["its parent's", 'root/macro', ['misattributed']],
    ["a sibling's", 'root/macro/jobs-2', ['misattributed']],
    ['one below it', `${PATH}/x`, ['misattributed']],
  ])('a draft that claims %s path', (_, path, flags) => {
    expect(minted([{ path }])[0]?.finding).toMatchObject({ id: `${PATH}#0`, path: PATH, flags });
  });

  const DOMAIN = 'root/macro';
  it('adopts what lies under the child it came from, unchanged', () => {
    for (const finding of [findingOf(DOMAIN), findingOf(PATH), findingOf(`${PATH}/deep`)]) {
      const { finding: adopted } = adopt(DOMAIN, finding, new Map());
      expect(adopted).toEqual(finding);
      expect(Object.isFrozen(adopted)).toBe(true);
    }
  });
  test.each([
    ['under another node', findingOf('root/sector/cars'), `${DOMAIN}#said`],
    ['under a node with a similar name', findingOf('root/macro-2'), `${DOMAIN}#said`],
    ['with an id that is not its own', findingOf(PATH, 'said', { id: 'root/sector#x' }), `${DOMAIN}#x`],
    ['with an id of another node under it', findingOf(PATH, 'said', { id: `${DOMAIN}#x` }), `${DOMAIN}#x`],
    ['with an id without a key', findingOf('root/sector', 'said', { id: 'root/sector#' }), `${DOMAIN}#0`],
  ])('re-attributes a finding %s, flagged', (_, finding, id) => {
    const { finding: adopted } = adopt(DOMAIN, { ...finding, flags: ['own'] }, new Map());
    expect(adopted).toEqual({ ...finding, id, path: DOMAIN, flags: ['own', 'misattributed'] });
  });
  it('two strangers that end under one id are both kept', () => {
    const said: Said = new Map();
    const all = ['root/x', 'root/y'].map((path) => adopt(DOMAIN, findingOf(path), said));
    expect(idsOf(all)).toEqual([`${DOMAIN}#said`, `${DOMAIN}#said~2`]);
  });
});
