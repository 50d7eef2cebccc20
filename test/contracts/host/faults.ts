/** Every kind of fault, at every kind of node: what is lost is named, and nobody else is touched. */
import { describe, expect, it } from 'vitest';
import type { DomainSpec, LeafSpec, LimitsSpec, ScenarioSpec } from '../../../src/define/spec.ts';
import type { Hooks } from '../../../src/ports/hooks.ts';
import { EspalierError } from '../../../src/errors.ts';
import { ALARM, domain, leaf, never, pathsIn, performed, said, scenarioOf, type OpenHost } from './bench.ts';

const kinds: [string, string, LeafSpec['run']][] = [
  ['throws', 'error', () => Promise.reject(new Error('it broke'))],
  [
    'throws at once',
    'error',
    () => {
      throw new Error('it broke at once');
    },
  ],
  ['hangs', 'timeout', never],
  ['says nothing', 'silent', () => undefined as never],
  ['answers what is no finding', 'invalid', () => ({ statement: 7 }) as never],
  ['answers what cannot be read', 'invalid', () => ({ statement: 'x', stance: 0n }) as never],
  ['refuses', 'refused', () => Promise.reject(Object.assign(new Error('not I'), { code: 'refused' }))],
];
/** Long enough for whoever answers, also where every wait is a replay; and not too long to wait for who hangs. */
const HANGS = { deadline: '8s' };
/** The leaf of a domain beside one that is well. */
const beside = (
  run: LeafSpec['run'],
  over: Partial<LeafSpec> = {},
  of: Partial<DomainSpec> = {},
  limits: LimitsSpec = {},
) =>
  scenarioOf(
    [domain('ill', [leaf('l0', { run, attempts: 1, ...over }), leaf('l1')], of), domain('well', [leaf('l0')])],
    {
      limits,
    },
  );

export function faults(open: OpenHost): void {
  describe('a leaf', () => {
    it.each(kinds)('that %s ends as a token', async (_, status, run) => {
      const done = await performed(open(), beside(run, {}, {}, run === never ? HANGS : {}));
      expect(done.status).toBe('partial');
      expect(done.endOf('root/ill/l0')).toMatchObject({ kind: 'failure', tier: 'leaf', status, attempts: 1 });
      expect(done.gaps).toMatchObject([{ kind: 'token', path: 'root/ill/l0', status }]);
      expect(pathsIn(done)).toEqual(['root/ill/l1', 'root/well/l0']);
      expect(done.endOf('root/well')).toMatchObject({ kind: 'report', status: 'complete' });
    });

    it('that is to wait for longer than there is time ends at once, and waits for nothing', async () => {
      const limited = Object.assign(new Error('429'), { diagnosis: 'rate-limited', retryAfterMs: 3_600_000 });
      const done = await performed(
        open(),
        beside(() => Promise.reject(limited), { attempts: 3 }),
      );
      const token = done.endOf('root/ill/l0');
      expect(token).toMatchObject({ kind: 'failure', status: 'error', diagnosis: 'rate-limited', attempts: 1 });
      expect(token?.kind === 'failure' && token.message).toMatch(/^429; it is to wait 3600 s, and \d+ s are left$/);
      expect(done.eventsOf('attempt.backed-off')).toEqual([]);
      expect(done.status).toBe('partial');
    });

    it('that fails keeps what it had said, and what is critical stands at the root', async () => {
      const scenario = beside(({ report, task }) => {
        report(said(task.path, { key: 'loud', ...ALARM }));
        report(said(task.path, { key: 'low' }));
        throw new Error('after having said it');
      });
      const done = await performed(open(), scenario);
      expect(done.escalations.map(({ id }) => id)).toEqual(['root/ill/l0#loud']);
      expect(done.eventsOf('finding.escalated').map(({ finding }) => finding.id)).toEqual(['root/ill/l0#loud']);
      const token = done.endOf('root/ill/l0');
      const partial = token?.kind === 'failure' ? token.partial : undefined;
      expect(partial?.findings.map(({ id }) => id).toSorted()).toEqual(['root/ill/l0#loud', 'root/ill/l0#low']);
    });

    it('that needs a big output as an argument of its parent gets all of it', async () => {
      const text = 'x'.repeat(1_000_000);
      const done = await performed(
        open(),
        beside(({ task }) => said(task.path, { data: { text } })),
      );
      const finding = done.brief.findings.find(({ path }) => path === 'root/ill/l0');
      expect(finding?.data).toEqual({ text });
    });

    it('that tries to spawn is refused, and it is told to everybody', async () => {
      const done = await performed(
        open(),
        beside(({ spawn }) => spawn('more')),
      );
      expect(done.eventsOf('integrity.alert').map(({ kind, path }) => [kind, path])).toEqual([
        ['spawn', 'root/ill/l0'],
      ]);
      expect(done.endOf('root/ill/l0')).toMatchObject({ kind: 'failure', status: 'error' });
    });
  });

  describe('a leaf that fails and may try again', () => {
    it('is told more each time, and counts its attempts', async () => {
      const told: string[][] = [];
      const scenario = beside(
        ({ attempt, task }) => {
          if (attempt < 3) throw new Error(`not yet ${attempt}`);
          return said(task.path, { statement: task.enrichments.join(' | ') });
        },
        { attempts: 3, recover: ({ message }) => `learn from: ${message}` },
      );
      const done = await performed(open(), scenario);
      expect(done.status).toBe('complete');
      const finding = done.brief.findings.find(({ path }) => path === 'root/ill/l0');
      expect(finding?.statement).toBe('learn from: not yet 1 | learn from: not yet 2');
      const failed = done.eventsOf('attempt.failed');
      expect(failed.map(({ attempt, willRetry }) => [attempt, willRetry])).toEqual([
        [1, true],
        [2, true],
      ]);
      expect(done.eventsOf('attempt.started').filter(({ path }) => path === 'root/ill/l0')).toHaveLength(3);
      expect(told).toEqual([]);
    });

    it('gives up after its last attempt', async () => {
      const done = await performed(
        open(),
        beside(() => Promise.reject(new Error('never')), { attempts: 2 }),
      );
      expect(done.endOf('root/ill/l0')).toMatchObject({ status: 'error', attempts: 2, needsHuman: true });
    });

    it('is not tried again when the scenario is at fault', async () => {
      const done = await performed(
        open(),
        beside(() => Promise.reject(new EspalierError('unknown-source', 'there is none')), { attempts: 3 }),
      );
      expect(done.endOf('root/ill/l0')).toMatchObject({ status: 'error', attempts: 1 });
    });

    it('backs off from a rate limit without spending an attempt', async () => {
      let asked = 0;
      const scenario = beside(
        ({ task }) => {
          if (++asked === 1) throw Object.assign(new Error('slow down'), { status: 429, diagnosis: 'rate-limited' });
          return said(task.path);
        },
        { attempts: 1 },
      );
      const done = await performed(open(), scenario);
      expect(done.status).toBe('complete');
      expect(done.eventsOf('attempt.backed-off').map(({ path, attempt }) => [path, attempt])).toEqual([
        ['root/ill/l0', 1],
      ]);
      expect(asked).toBe(2);
    });

    it('is held to its own check', async () => {
      const scenario = beside(({ attempt, task }) => said(task.path, { statement: `try ${attempt}` }), {
        attempts: 2,
        verify: (findings) => (findings[0]?.statement === 'try 2' ? { ok: true } : { ok: false, why: 'too soon' }),
      });
      const done = await performed(open(), scenario);
      expect(done.status).toBe('complete');
      expect(done.eventsOf('attempt.failed').map(({ fault }) => fault.message)).toEqual(['not verified: too soon']);
    });
  });

  describe('an orchestrator', () => {
    const synthesis: [string, string, DomainSpec['synthesize']][] = [
      ['throws', 'error', () => Promise.reject(new Error('no'))],
      ['hangs', 'timeout', never],
      ['says nothing', 'silent', () => undefined as never],
      ['answers what is no synthesis', 'invalid', () => ({ narrative: 7 }) as never],
    ];
    it.each(synthesis)(
      'whose synthesis %s is synthesized by rules, and loses nothing',
      async (_, status, synthesize) => {
        const done = await performed(
          open(),
          beside(
            ({ task }) => said(task.path, ALARM),
            {},
            synthesize && { synthesize },
            synthesize === never ? HANGS : {},
          ),
        );
        expect(done.endOf('root/ill')).toMatchObject({ kind: 'report', madeBy: 'deterministic' });
        expect(pathsIn(done)).toEqual(['root/ill/l0', 'root/ill/l1', 'root/well/l0']);
        expect(done.escalations.map(({ path }) => path)).toEqual(['root/ill/l0']);
        expect(done.eventsOf('synthesis.rejected').at(-1)).toMatchObject({ path: 'root/ill', fault: { status } });
      },
    );

    it('whose decider throws or hangs does as it was declared', async () => {
      for (const decide of [() => Promise.reject(new Error('no')), never]) {
        const done = await performed(
          open(),
          beside(({ task }) => said(task.path), {}, { decide }, HANGS),
        );
        expect(done.status).toBe('complete');
        expect(pathsIn(done)).toEqual(['root/ill/l0', 'root/ill/l1', 'root/well/l0']);
      }
    });
  });

  describe.concurrent('a root', () => {
    const two = (over: Partial<ScenarioSpec>) =>
      scenarioOf(
        [0, 1].map((i) => domain(`d${i}`, [leaf('l', { run: ({ task }) => said(task.path, i === 0 ? ALARM : {}) })])),
        over,
      );
    const refusing = (path: string): Hooks => ({
      beforeSpawn: (task) => (task.path === path ? { refuse: 'not this one' } : undefined),
    });

    it.each<[string, Partial<ScenarioSpec>, string, string]>([
      ['that is refused its plan', { hooks: refusing('root') }, 'refused', 'plan: beforeSpawn refused: not this one'],
      [
        'whose plan is too wide',
        { limits: { maxChildren: 1 } },
        'refused',
        'plan: the plan has 2 children, the grant allows 1',
      ],
      [
        'that breaks at the work it does itself',
        { limits: { maxDepth: 0 }, execute: () => Promise.reject(new Error('it broke')) },
        'error',
        'it broke',
      ],
    ])('%s is dead: the brief says how it died, and has nothing', async (_, over, status, message) => {
      const done = await performed(open(), two(over));
      expect(done.status).toBe('failed');
      expect(done.brief).toMatchObject({ kind: 'report', path: 'root', tier: 'root', findings: [], escalations: [] });
      const why = `${status}: ${message}`;
      expect(done.gaps.filter(({ kind }) => kind === 'token')).toMatchObject([{ path: 'root', status, why }]);
      expect(done.eventsOf('node.started').map(({ path }) => path)).toEqual(['root']);
    });

    it('goes on without a domain that is refused its plan', async () => {
      const done = await performed(open(), two({ hooks: refusing('root/d1') }));
      expect(done.status).toBe('partial');
      expect(done.gaps).toMatchObject([{ path: 'root/d1', kind: 'token', status: 'refused' }]);
      expect(pathsIn(done)).toEqual(['root/d0/l']);
    });

    it.each<[string, ScenarioSpec['synthesize']]>([
      ['error', () => Promise.reject(new Error('no'))],
      ['silent', () => undefined as never],
    ])('whose synthesis fails (%s) has a brief by rules, and loses nothing', async (status, synthesize) => {
      const done = await performed(open(), two({ ...(synthesize && { synthesize }) }));
      const why = expect.stringMatching(`^${status}: .*; replaced by`);
      expect(done.gaps).toEqual([{ path: 'root', kind: 'synthesis', status, why }]);
      expect(done.brief).toMatchObject({ status: 'partial', madeBy: 'deterministic' });
      expect(pathsIn(done)).toEqual(['root/d0/l', 'root/d1/l']);
      expect(done.escalations.map(({ path }) => path)).toEqual(['root/d0/l']);
      const byRules = await performed(open(), two({}));
      expect(done.brief.assessment).toEqual(byRules.brief.assessment);
    });
  });
}
