import { describe, expect, it, test } from 'vitest';
import type { Assessment } from '../../src/protocol/assessment.ts';
import type { SynthesisDraft } from '../../src/protocol/synthesis.ts';
import { bodyOf, checkSynthesis, incomingOf } from '../../src/tier/synthesis-check.ts';
import { criticalOf, endedWith, findingOf, reportOf, taskOf, tokenOf } from './samples.ts';

const a = findingOf('root/macro/a', 'x', { value: 3 });
const b = criticalOf('root/macro/b', 'y', { value: 4 });
const late = findingOf('root/macro/c', 'z');
const ended = [
  endedWith(reportOf(a.path, [a])),
  endedWith(reportOf(b.path, [b])),
  endedWith(tokenOf(late.path, { partial: reportOf(late.path, [late]) })),
  endedWith(tokenOf('root/macro/d')),
];
const task = taskOf('root/macro', { question: 'Is 7 enough?' });
const check = (over: Partial<SynthesisDraft>) =>
  checkSynthesis({ narrative: '', dispositions: [], ...over }, { task, ended });
const assessment: Assessment = {
  label: 'Balance of evidence.',
  logOdds: 0,
  coverage: 1,
  dissent: 0,
  risks: [],
  patterns: [],
  votes: { supports: 0, against: 0, neutral: 0, context: 0 },
};
const risk = { rank: 1, rule: 'alarm', lead: b.id, findings: [b.id], nodes: [b.path], weight: 1 };
const side = (...findings: string[]) => ({ findings, weight: 1 });
const conflict = { path: 'root/macro', dissent: 0.5, resolution: 'open', statement: 'They differ' } as const;
const relation = { kind: 'contradicts', strength: 1, statement: 'They differ' } as const;

describe('what came in', () => {
  it('in declared order: the findings of reports and of partials', () => {
    expect(incomingOf(ended)).toEqual([a, b, late]);
    expect(ended.map(({ outcome }) => bodyOf(outcome)?.path)).toEqual([a.path, b.path, late.path, undefined]);
  });
});

describe('a synthesis that keeps books is accepted', () => {
  test.each<[string, Partial<SynthesisDraft>]>([
    ['with nothing to say', {}],
    ['that cites', { narrative: `It is so [${a.id}], and so [${late.id}]; see [the note].` }],
    [
      'that derives',
      {
        derived: [
          { value: 7, op: 'sum', from: [a.id, b.id] },
          { value: 2, op: 'count', from: [a.id, late.id] },
        ],
      },
    ],
    [
      'that merges',
      {
        merges: [{ key: 'both', lead: a.id, statement: 'Both' }],
        dispositions: [a.id, late.id].map((id) => ({ id, as: 'merged', into: 'both' })),
      },
    ],
    [
      'that relates its children, also one that failed',
      { relations: [{ ...relation, between: [a.path, 'root/macro/d'] }] },
    ],
    ['that finds a conflict', { conflicts: [{ ...conflict, supports: side(a.id), against: side(b.id) }] }],
    ['that assesses', { assessment: { ...assessment, risks: [risk] } }],
  ])('%s', (_, over) => {
    expect(check(over)).toMatchObject({ synthesis: { madeBy: 'synthesis', ...over } });
  });
});

describe('one that does not is refused, and told why', () => {
  const merge = (key: string, lead = a.id) => ({ key, lead, statement: 'Both' });
  const into = (id: string, key: string) => ({ id, as: 'merged', into: key }) as const;
  const nobody = 'the synthesis cites "root/macro/x#1", which nobody reported';
  const X = 'root/macro/x#1';
  test.each<[string, Partial<SynthesisDraft>, string]>([
    ['the narrative cites', { narrative: `So [${a.id}] and [${X}].` }, nobody],
    ['a disposition', { dispositions: [{ id: X, as: 'kept' }] }, nobody],
    ['the lead of a merge', { merges: [merge('k', X)] }, nobody],
    ['a derivation', { derived: [{ value: 1, op: 'count', from: [X] }] }, nobody],
    ['one side of a conflict', { conflicts: [{ ...conflict, supports: side(a.id), against: side(X) }] }, nobody],
    ['a risk', { assessment: { ...assessment, risks: [{ ...risk, findings: [X] }] } }, nobody],
    ['the lead of a risk', { assessment: { ...assessment, risks: [{ ...risk, lead: X }] } }, nobody],
    [
      'a pattern',
      {
        assessment: {
          ...assessment,
          patterns: [{ measure: 'm', direction: 'supports', findings: [a.id, X], nodes: ['p', 'q'] }],
        },
      },
      nobody,
    ],
    [
      'a stranger is related',
      { relations: [{ ...relation, between: [a.path, 'root/sector'] }] },
      'the synthesis relates "root/sector", which is not one of its children',
    ],
    [
      'two dispositions of one',
      {
        dispositions: [
          { id: a.id, as: 'kept' },
          { id: a.id, as: 'dropped', why: 'dull' },
        ],
      },
      `the synthesis disposes of "${a.id}" twice`,
    ],
    [
      'a merge that is not defined',
      { dispositions: [into(a.id, 'k')] },
      `the synthesis merges "${a.id}" into "k", which it does not define`,
    ],
    [
      'a merge that is defined twice',
      { merges: [merge('k'), merge('k')], dispositions: [into(a.id, 'k')] },
      'the synthesis defines the merge "k" twice',
    ],
    [
      'a lead from outside the merge',
      { merges: [merge('k')], dispositions: [into(late.id, 'k'), { id: a.id, as: 'kept' }] },
      `the merge "k" is led by "${a.id}", which is not merged into it`,
    ],
    [
      'a derivation that does not recompute',
      { derived: [{ value: 8, op: 'sum', from: [a.id, b.id] }] },
      'the synthesis derives 8 as a sum, which does not recompute',
    ],
    [
      'a derivation over no value',
      { derived: [{ value: 1, op: 'mean', from: [late.id] }] },
      'the synthesis derives 1 as a mean, which does not recompute',
    ],
  ])('%s', (_, over, message) => {
    expect(check(over)).toEqual({ fault: { status: 'invalid', message } });
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'it is missing; it must be an object'],
    [
      'a dropped one without a reason',
      { narrative: '', dispositions: [{ id: a.id, as: 'dropped', why: '' }] },
      'dispositions.0.why is ""; it must be at least 1 characters long',
    ],
    [
      'a merge under a path',
      { narrative: '', dispositions: [], merges: [merge('a/b')] },
      'merges.0.key: a key is 1 to 128 characters without "/", "#", "~" or control characters',
    ],
    [
      'a getter that throws',
      {
        get narrative() {
          throw new Error('boo');
        },
      },
      'it cannot be read: boo',
    ],
  ])('%s', (_, answer, why) => {
    const message = `the synthesis has the wrong shape: ${why}`;
    expect(checkSynthesis(answer, { task, ended })).toEqual({ fault: { status: 'invalid', message } });
  });
});

describe('a number in the narrative', () => {
  const said = (narrative: string, over: Partial<SynthesisDraft> = {}) => check({ narrative, ...over });
  test.each([
    ['an input', 'It stands at 3, once at 4.0.', {}],
    ['of a critical that its child did not repeat', 'It stands at 4.', {}],
    ['of the task', '7 would be enough.', {}],
    ['the number of children', 'Of 4 children one failed.', {}],
    ['part of a citation or a name', 'As Q9 says [root/macro/a#x].', {}],
    [
      'derived',
      'Together 7.5, on average 3.5.',
      {
        derived: [
          { value: 3.5, op: 'mean', from: [a.id, b.id] },
          { value: 7, op: 'sum', from: [a.id, b.id] },
        ],
      },
    ],
  ] satisfies [string, string, Partial<SynthesisDraft>][])('passes when it is %s', (_, narrative, over) => {
    const checked = said(narrative.replace('7.5', '7'), over);
    expect('fault' in checked ? checked.fault.message : 'well').toBe('well');
  });
  test.each([
    ['It stands at 12.', '12'],
    ['It fell by 41 %.', '41 %'],
    ['It stood at 3 in 2019-05.', '2019-05'],
    ['It stands at -3.', '-3'],
  ])('is refused when nobody gave it: %s', (narrative, shown) => {
    expect(said(narrative)).toMatchObject({
      fault: { status: 'invalid', message: expect.stringContaining(`the synthesis says ${shown}, which is in none`) },
    });
  });
  it('is refused in the statement of a merge too', () => {
    const merges = [{ key: 'both', lead: a.id, statement: 'Both stand at 99' }];
    const dispositions = [{ id: a.id, as: 'merged', into: 'both' } as const];
    expect(check({ merges, dispositions })).toMatchObject({ fault: { message: expect.stringContaining('99') } });
  });
  it('of the deterministic synthesis is measured, not refused', () => {
    expect(said('It stands at 12.', { madeBy: 'deterministic' })).toHaveProperty('synthesis');
  });
});
