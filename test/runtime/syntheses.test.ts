/** Whatever a synthesizer answers or does: no finding is lost, and none is altered. */
import { describe, expect, it } from 'vitest';
import type { SynthesisContext, Synthesizer } from '../../src/define/spec.ts';
import type { SynthesizeInput } from '../../src/ports/activities.ts';
import type { Disposition, SynthesisDraft } from '../../src/protocol/synthesis.ts';
import { incomingOf } from '../../src/tier/synthesis-check.ts';
import { CRITICAL, draft, json, MINUTES_8, never, NOTHING_LEFT, reportOf, tree, world } from '../support/world.ts';

const boom = (): never => {
  throw new Error('boom');
};
const keepAll = ({ ended }: Pick<SynthesizeInput, 'ended'>): Disposition[] =>
  incomingOf(ended).map(({ id }) => ({ id, as: 'kept' }));
const answer = (over: object = {}): SynthesisDraft => ({ narrative: 'N.', dispositions: [], ...over });
const kept = (id: string): Disposition => ({ id, as: 'kept' });
const conflict = {
  path: 'root',
  dissent: 0.5,
  supports: { findings: ['root/liar#0'], weight: 1 },
  against: { findings: [], weight: 1 },
  resolution: 'open',
  statement: 's',
};

/** What every leaf says: something critical, and something that is not. */
const twoEach = async ({ task }: { task: { path: string } }) => [
  draft(task.path, { ...CRITICAL, key: 'alarm' }),
  draft(task.path, { key: 'plain' }),
];
const bad: Record<string, [() => Promise<unknown>, string, number]> = {
  rejects: [() => Promise.reject(new Error('boom')), 'error: boom', 2],
  throws: [boom, 'error: boom', 2],
  hangs: [never, 'timeout: ', 1],
  'answers nothing': [async () => undefined, 'silent: ', 2],
  'answers nonsense': [async () => 'fine', 'invalid: ', 2],
  'answers a getter that throws': [
    async () => ({
      get narrative() {
        return boom();
      },
    }),
    'invalid: ',
    2,
  ],
  'forgets its narrative': [async () => ({ dispositions: [] }), 'invalid: ', 2],
  'keeps what nobody reported': [async () => answer({ dispositions: [kept('root/liar#0')] }), 'cites "root/liar#0"', 2],
  'cites what nobody reported': [async () => answer({ narrative: 'See [root/liar#0].' }), 'cites "root/liar#0"', 2],
  'sees a conflict that nobody reported': [async () => answer({ conflicts: [conflict] }), 'cites "root/liar#0"', 2],
  'relates what is no child': [
    async () =>
      answer({ relations: [{ kind: 'reinforces', between: ['root/x', 'root/y'], strength: 1, statement: 's' }] }),
    'relates "root/x"',
    2,
  ],
  'derives what does not recompute': [
    async () => answer({ derived: [{ value: 7, op: 'count', from: [] }] }),
    'does not recompute',
    2,
  ],
};
describe.each(Object.entries(bad))('a synthesis that %s', (_, [synthesize, why, asked]) => {
  it('is replaced at every tier, flagged, and loses nothing', async () => {
    const w = world([2, 2], { synthesize, attempt: twoEach });
    const { brief, escalations } = await w.run();
    expect(brief).toMatchObject({ madeBy: 'deterministic', status: 'partial' });
    expect(escalations).toHaveLength(4);
    expect(brief.findings).toHaveLength(8);
    expect(brief.gaps.map(({ path, kind }) => [path, kind])).toEqual([
      ['root/d0', 'synthesis'],
      ['root/d1', 'synthesis'],
      ['root', 'synthesis'],
    ]);
    for (const gap of brief.gaps) expect(gap.why).toContain(why);
    expect(w.calls.filter((call) => call === 'synthesize root')).toHaveLength(asked);
    const rejected = w.eventsOf('synthesis.rejected').filter(({ path }) => path === 'root');
    expect(rejected.map(({ attempt, willRetry }) => [attempt, willRetry])).toEqual(
      [
        [1, asked === 2],
        [2, false],
      ].slice(0, asked),
    );
    expect(w.clock.now()).toBeLessThanOrEqual(MINUTES_8);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('a synthesis that was rejected', () => {
  it('is asked for once more, with the fault explained', async () => {
    const inputs: SynthesizeInput[] = [];
    const w = world([2], {
      synthesize: async (input) => {
        inputs.push(input);
        return answer({ dispositions: input.fault ? keepAll(input) : [kept('root/liar#0')] });
      },
    });
    const { brief } = await w.run();
    expect(inputs).toMatchObject([{ attempt: 1 }, { attempt: 2, fault: { status: 'invalid' } }]);
    expect(inputs[0]).not.toHaveProperty('fault');
    expect(inputs[1]?.fault?.message).toContain('"root/liar#0", which nobody reported');
    expect(brief).toMatchObject({ madeBy: 'synthesis', status: 'complete', narrative: 'N.', gaps: [] });
    expect(w.eventsOf('synthesis.rejected')).toMatchObject([{ path: 'root', attempt: 1, willRetry: true }]);
  });

  it('tells a scenario’s own synthesizer why', async () => {
    const faults: unknown[] = [];
    const synthesize: Synthesizer = ({ fault, children }) => {
      faults.push(fault?.status);
      return answer({ dispositions: fault ? keepAll({ ended: children }) : [kept('root/liar#0')] });
    };
    const { brief } = await world(tree([2], { scenario: { synthesize } })).run();
    expect(faults).toEqual([undefined, 'invalid']);
    expect(brief.madeBy).toBe('synthesis');
  });
});

describe('books', () => {
  const withRoot = (synthesize: Synthesizer) => world(tree([2, 2], { scenario: { synthesize } }), { attempt: twoEach });

  it('what it does not name is dropped, counted as loss; what is critical stays', async () => {
    const { brief, escalations } = await withRoot(() => answer()).run();
    expect(brief.findings.map(({ id }) => id.split('#')[1])).toEqual(['alarm', 'alarm', 'alarm', 'alarm']);
    expect(escalations).toHaveLength(4);
    expect(brief.retention).toMatchObject({ incoming: 8, kept: 4, dropped: 4, verbatim: 1 });
    expect(brief.dispositions).toContainEqual({ id: 'root/d0/l0#plain', as: 'dropped', why: 'unaccounted' });
  });

  it('it cannot drop what is critical', async () => {
    const w = withRoot(({ children }) =>
      answer({ dispositions: keepAll({ ended: children }).map(({ id }) => ({ id, as: 'dropped', why: 'dull' })) }),
    );
    const { brief, escalations } = await w.run();
    expect(escalations).toHaveLength(4);
    expect(brief.findings).toEqual(escalations);
    expect(brief.retention?.verbatim).toBe(1);
  });

  it('it cannot merge what is critical away, nor reword it', async () => {
    const w = withRoot(({ children }) => {
      const ids = keepAll({ ended: children }).map(({ id }) => id);
      return answer({
        dispositions: ids.map((id) => ({ id, as: 'merged', into: 'all' })),
        merges: [{ key: 'all', lead: ids[0], statement: 'Nothing to see here' }],
      });
    });
    const { brief, escalations } = await w.run();
    const reported = w.eventsOf('finding.reported').map(({ finding }) => finding);
    for (const escalation of escalations) expect(reported).toContainEqual(escalation);
    expect(escalations).toHaveLength(4);
    expect(brief.retention?.verbatim).toBe(1);
  });

  it('a deterministic label is not its to give', async () => {
    const { brief } = await withRoot(() => answer({ madeBy: 'deterministic' })).run();
    expect(brief.madeBy).toBe('synthesis');
  });
});

describe('a synthesizer that alters what it was given', () => {
  const attacks: Record<string, (context: SynthesisContext) => void> = {
    'a finding’s statement': ({ children }) => {
      for (const { outcome } of children) {
        if (outcome.kind === 'report') for (const finding of outcome.findings) finding.statement = 'all is well';
      }
    },
    'the list of escalations': ({ children }) => {
      for (const { outcome } of children) if (outcome.kind === 'report') outcome.escalations.length = 0;
    },
    'the list of findings': ({ children }) => {
      for (const { outcome } of children) if (outcome.kind === 'report') outcome.findings.length = 0;
    },
    'a gap': ({ children }) => {
      for (const { outcome } of children) if (outcome.kind === 'report') outcome.gaps.push({ ...GAP });
    },
    'the children': ({ children }) => void (children as unknown[]).splice(0),
    'a child': ({ children }) => void Object.assign(children[0] ?? {}, { outcome: undefined }),
    'the decision': ({ decision }) => void decision.stages.splice(0),
    'the task': ({ task }) => void Object.assign(task, { path: 'root/d9' }),
    'the grant': ({ task }) => void Object.assign(task.grant, { deadline: 0, depthLeft: 99 }),
  };
  const GAP = { path: 'root/d0', kind: 'undone', why: 'made up' } as const;

  it.each(Object.entries(attacks))('%s: changes nothing, and its answer is not believed', async (_, attack) => {
    const honest: Synthesizer = ({ children }) => answer({ dispositions: keepAll({ ended: children }) });
    const hostile: Synthesizer = (context) => {
      const answered = honest(context);
      attack(context);
      return answered;
    };
    const withDomains = (synthesize: Synthesizer) =>
      world(tree([2, 2], { domain: { synthesize }, scenario: { synthesize } }), { attempt: twoEach });
    const [expected, w] = [withDomains(honest), withDomains(hostile)];
    const [healthy, attacked] = [await expected.run(), await w.run()];
    expect(json(attacked.escalations)).toEqual(json(healthy.escalations));
    expect(json(attacked.brief.findings)).toEqual(json(healthy.brief.findings));
    expect(attacked.brief.children).toHaveLength(2);
    expect(attacked.brief.retention).toMatchObject({ incoming: 8, verbatim: 1 });
    for (const path of ['root/d0', 'root/d1']) {
      const [report, wanted] = [reportOf(w.endOf(path)), reportOf(expected.endOf(path))];
      expect(json(report.findings)).toEqual(json(wanted.findings));
      expect(report.decision).toEqual(wanted.decision);
    }
    expect(w.clock.now()).toBeLessThan(MINUTES_8);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});
