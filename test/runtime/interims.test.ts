/** Interim reports on virtual time: when they are made, how they travel, and that nothing hangs on them. */
import { describe, expect, it, vi } from 'vitest';
import type { AnyActorRef } from 'xstate';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { SynthesisMode } from '../../src/define/spec.ts';
import { seal } from '../../src/protocol/digest.ts';
import { verifyRun } from '../../src/runtime/record/verify.ts';
import { incomingOf } from '../../src/tier/synthesis-check.ts';
import { guestFinding, guestReport } from '../support/guests.ts';
import { expectBriefs, expectNoFall, interimsOf } from '../support/interim-invariants.ts';
import { interruptedAt, resumed, slowWorld, type Latency } from '../support/interrupted.ts';
import { CRITICAL, draft, never, NOTHING_LEFT, tree, world, type World } from '../support/world.ts';

/** `l0` takes the first of these, `l1` the second, of whichever domain. */
const each =
  (...ms: number[]): Latency =>
  (path) =>
    ms[Number(path.at(-1))] ?? 0;
const timesOf = (w: World, path: string): number[] =>
  interimsOf(w.events).flatMap((event) => (event.path === path ? event.at : []));
const coverageOf = (w: World, path: string): number[] =>
  interimsOf(w.events).flatMap((event) => (event.path === path ? event.assessment.coverage : []));

describe('an interim', () => {
  it('is made at once, and then at most every 250 ms, to the ms', async () => {
    const w = slowWorld(tree([7]), each(10, 20, 30, 259, 260, 511, 2_000), { synthesis: 'incremental' });
    await w.run();
    expect(timesOf(w, 'root')).toEqual([10, 260, 510, 760]);
    expect(interimsOf(w.events).map(({ ended, children }) => [ended, children])).toEqual([
      [1, 7],
      [4, 7], // the fifth ends after the timer of this instant
      [5, 7],
      [6, 7],
    ]);
  });

  it('is made as often as its node says', async () => {
    const scenario = tree([6], { scenario: { synthesis: { debounce: '0.1s' } } });
    const w = slowWorld(scenario, each(10, 50, 90, 150, 300, 301));
    await w.run();
    expect(timesOf(w, 'root')).toEqual([10, 110, 210]);
  });

  it('moves the root when a leaf two tiers down ends', async () => {
    const w = slowWorld(tree([2, 2, 2]), (path) => (path === 'root/d1/d0/l1' ? 40 : 5_000), {
      synthesis: 'incremental',
    });
    const handle = w.start();
    const seen: unknown[] = [];
    w.clock.setTimeout(() => seen.push(handle.interim()), 39);
    w.clock.setTimeout(() => seen.push(handle.interim()?.assessment?.coverage), 41);
    await w.clock.run(handle.result);
    expect(seen).toEqual([undefined, 1 / 8]);
    const first = interimsOf(w.events).filter(({ at }) => at === 40);
    expect(first.map(({ path, ended }) => [path, ended])).toEqual([
      ['root/d1/d0', 1],
      ['root/d1', 0],
      ['root', 0],
    ]);
    const root = first.at(-1)?.report;
    expect(root?.findings.map(({ path }) => path)).toEqual(['root/d1/d0/l1']);
    expect(root?.gaps.map(({ path }) => path).toSorted()).toEqual([
      'root/d0',
      'root/d1',
      'root/d1/d0',
      'root/d1/d0/l0',
      'root/d1/d1',
    ]);
  });

  it('is not made of a node whose synthesis is final, nor by it of a child', async () => {
    const scenario = tree([2, 2], { domain: { synthesis: 'incremental' } });
    const w = slowWorld(scenario, each(10, 400));
    const handle = w.start();
    await w.clock.run(handle.result);
    expect(new Set(interimsOf(w.events).map(({ path }) => path))).toEqual(new Set(['root/d0', 'root/d1']));
    expect(handle.interim()).toBeUndefined();
    const all = slowWorld(scenario, each(10, 400), { synthesis: 'final' });
    await all.run();
    expect(interimsOf(all.events)).toEqual([]);
  });

  it('asks no synthesizer of an author, and goes on while one works', async () => {
    const asked: string[] = [];
    const scenario = tree([2, 2], {
      domain: {
        async synthesize({ task, children }) {
          asked.push(task.path);
          await clock.sleep(3_000);
          return { narrative: 'Mine.', dispositions: incomingOf(children).map(({ id }) => ({ id, as: 'kept' })) };
        },
      },
    });
    const w = slowWorld(scenario, each(10, 100), { synthesis: 'incremental' });
    const { clock } = w;
    const { brief } = await w.run();
    expect(asked).toHaveLength(2);
    expect(timesOf(w, 'root/d0')).toEqual([10, 260]); // all had ended at 100
    expect(timesOf(w, 'root')).toEqual([10, 260, 510, 3_100]);
    expect(coverageOf(w, 'root')).toEqual([0.25, 0.5, 1, 1]);
    expect(brief.status).toBe('complete');
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('spans stages', async () => {
    const leaf = (name: string, needs?: string[]) =>
      defineLeaf({ name, ...(needs && { needs }), run: ({ task }) => draft(task.path) });
    const scenario = defineScenario({
      name: 'staged',
      thesis: 'It holds',
      domains: [leaf('l0'), leaf('l1', ['l0']), leaf('l2', ['l1'])],
      limits: { maxDepth: 1 },
      synthesis: 'incremental',
    });
    const w = slowWorld(scenario, each(100, 100, 400));
    await w.run();
    expect(timesOf(w, 'root')).toEqual([100, 350]);
    expect(coverageOf(w, 'root')).toEqual([1 / 3, 2 / 3]);
  });

  it('keeps to its coverage when the child that gave it dies, or ends with less', async () => {
    const dying = defineDomain({
      name: 'dies',
      charter: 'x',
      children: ['l0', 'l1'].map((name) =>
        defineLeaf({ name, run: ({ task }) => [draft(task.path, name === 'l0' ? {} : CRITICAL)] }),
      ),
      synthesis: 'incremental',
    });
    const modest = defineDomain({
      ...dying,
      name: 'modest',
      synthesize: () => {
        const label = '';
        const votes = { supports: 0, against: 0, neutral: 0, context: 0 };
        const assessment = { label, logOdds: 0, coverage: 0, dissent: 0, votes, risks: [], patterns: [] };
        return { narrative: '', dispositions: [], assessment };
      },
    });
    const other = defineLeaf({ name: 'l2', run: ({ task }) => draft(task.path) });
    const silent = defineLeaf({ name: 'l3', run: ({ gap }) => gap('stale', 'too old') });
    const scenario = defineScenario({
      name: 'x',
      thesis: 'It holds',
      domains: [dying, modest, other, silent],
      synthesis: 'incremental',
    });
    const w = slowWorld(scenario, each(10, 300, 310, 3_000), { faults: ['root/dies:gather=throw'] });
    const { brief } = await w.run();
    expectNoFall(w.events);
    expectBriefs(w.events);
    expect(coverageOf(w, 'root').at(-1)).toBeGreaterThan(brief.assessment?.coverage ?? 1);
    const last = interimsOf(w.events).at(-1)?.report;
    expect(last?.gaps).toContainEqual(expect.objectContaining({ path: 'root/dies', kind: 'token', status: 'error' }));
    expect(last?.gaps.filter(({ kind }) => kind === 'pending').map(({ path }) => path)).toEqual(['root/l3']);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('stands past a quorum', async () => {
    const scenario = tree([4], { scenario: { join: { quorum: 3 }, synthesis: { debounce: 1 } } });
    const w = slowWorld(scenario, each(10, 20, 30, 5_000));
    const { brief } = await w.run();
    expect(coverageOf(w, 'root')).toEqual([0.25, 0.5]); // the third closed the join
    expect(brief.assessment?.coverage).toBe(0.75);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('an incremental run', () => {
  it('that is cancelled has held a brief until then, and leaves nothing', async () => {
    const w = slowWorld(tree([3, 3]), each(10, 100, 9_000), { synthesis: 'incremental' });
    const handle = w.start();
    w.clock.setTimeout(() => handle.cancel(), 110);
    const { brief } = await w.clock.run(handle.result);
    expect(handle.interim()?.assessment?.coverage).toBeCloseTo(1 / 9, 12);
    expect(brief.assessment?.coverage).toBeCloseTo(2 / 3, 12);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('that a listener stops at an interim says no more', async () => {
    const w = slowWorld(tree([2, 2]), each(10, 500), {
      synthesis: 'incremental',
      onEvent: ({ type }) => type === 'synthesis.interim' && handle.stop(),
    });
    const handle = w.start();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {}); // of messages to who has been stopped
    await expect(w.clock.run(handle.result)).rejects.toMatchObject({ code: 'stopped' });
    expect(w.events.at(-1)?.type).toBe('synthesis.interim');
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('that is stopped while a synthesizer works leaves no timer', async () => {
    const w = slowWorld(tree([2], { scenario: { synthesize: never } }), each(10, 50), { synthesis: 'incremental' });
    const handle = w.start();
    w.clock.setTimeout(() => handle.stop(), 100);
    await expect(w.clock.run(handle.result)).rejects.toMatchObject({ code: 'stopped' });
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('believes no interim that somebody else made', async () => {
    const refs = new Map<string, AnyActorRef>();
    const w = slowWorld(tree([2, 2]), each(10, 2_000), {
      synthesis: 'incremental',
      inspect(event) {
        if (event.type !== '@xstate.actor') return;
        const actor = event.actorRef as AnyActorRef;
        refs.set(`${actor.id} of ${actor._parent?.id}`, actor);
      },
    });
    const handle = w.start();
    const report = seal(guestReport('root/d0', { findings: [guestFinding('root/d0')] }), { startedAt: 0, endedAt: 0 });
    w.clock.setTimeout(() => {
      for (const from of ['d0', 'nobody', undefined]) {
        for (const said of [report, undefined, null, 'report', handle.interim()]) {
          refs.get('gather of root')?.send({ type: 'espalier.interim', from, report: said });
        }
      }
    }, 300);
    const { brief } = await w.clock.run(handle.result);
    expect(refs.has('gather of root')).toBe(true);
    expect(brief.status).toBe('complete');
    expect(timesOf(w, 'root')).toEqual([10, 260, 2_000]);
    expectBriefs(w.events);
  });

  it.each<[string, SynthesisMode | undefined]>([
    ['without', undefined],
    ['with', 'incremental'],
  ])('is resumed %s interims, and verifies', async (_, synthesis) => {
    const latency = each(10, 100, 600);
    const scenario = tree([2, 3]);
    const whole = await slowWorld(scenario, latency).run();
    const cut = await interruptedAt(300, scenario, latency, { synthesis: 'incremental' });
    expect(interimsOf(cut.first.events).length).toBeGreaterThan(0);
    const { second, outcome } = await resumed(cut, scenario, latency, { ...(synthesis && { synthesis }) });
    expect(outcome.brief.digest).toBe(whole.brief.digest);
    expect(second.eventsOf('node.reused')).toHaveLength(4);
    expect(interimsOf(second.events).length > 0).toBe(synthesis !== undefined);
    expectNoFall(second.events);
    const { problems, checked } = verifyRun(cut.store, 'run');
    expect(problems).toEqual([]);
    expect(checked.nodes).toBe(9);
  });

  it.each<[string, unknown, string]>([
    [
      'a wrong word',
      'often',
      'The run has synthesis: the text "often". Give "incremental", "final" or { debounce: "1s" }.',
    ],
    ['no debounce', {}, 'The run has synthesis: an object. Give'],
    ['a debounce of nothing', { debounce: 0 }, 'The synthesis.debounce of The run "0" is not'],
  ])('refuses %s', (_, synthesis, message) => {
    const start = () => world([1], {}, { synthesis: synthesis as SynthesisMode }).start();
    expect(start).toThrow(
      expect.objectContaining({ code: 'invalid-input', message: expect.stringContaining(message) }),
    );
    const define = () => tree([1, 1], { domain: { synthesis: synthesis as SynthesisMode } });
    expect(define).toThrow(message.replace('The run', 'Domain "d0"'));
  });
});
