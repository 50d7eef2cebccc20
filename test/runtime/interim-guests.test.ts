/** What a guest says of itself so far is parsed, not believed. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ActorScope, AnyActorLogic, AnyActorRef } from 'xstate';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { UnsealedReport } from '../../src/protocol/report.ts';
import { guestAt, guestFinding, guestReport, logicOf } from '../support/guests.ts';
import { expectBriefs, expectNoFall, interimsOf } from '../support/interim-invariants.ts';
import { slowWorld } from '../support/interrupted.ts';
import { CRITICAL, draft, NOTHING_LEFT, tree, type World, type WorldOptions } from '../support/world.ts';

// XState warns, in development, of a message to a guest that has stopped itself.
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

const PATH = 'root/l1';
/** Says these of itself when it starts, and never answers. */
const saying = (...reports: unknown[]): AnyActorLogic =>
  logicOf({
    start(_: unknown, { self }: ActorScope<never, never>) {
      for (const report of reports) (self._parent as AnyActorRef).send({ type: 'espalier.interim', report });
    },
  });
/** Beside a guest at l1 there is a leaf of ours that takes 20 s. */
const beside = (guest: AnyActorLogic, options: WorldOptions = {}): World =>
  slowWorld(tree([2], { scenario: { limits: { maxDepth: 1, deadline: '40s' } } }), () => 20_000, {
    guestFor: guestAt(PATH, guest),
    synthesis: 'incremental',
    ...options,
  });
const boom = (): never => {
  throw new Error('boom');
};

describe('an interim of a guest', () => {
  it('stands with its findings while it works, and what it says of its own assessment does not', async () => {
    const finding = guestFinding(PATH, { stance: -1, ...CRITICAL });
    const lie = { path: PATH, tier: 'domain' as const, madeBy: 'synthesis' as const, findings: [finding] };
    const w = beside(saying(guestReport(PATH, { ...lie, depth: 99, usage: guestReport('a/b/c/d/e').usage })));
    const { brief } = await w.run();
    const [first] = interimsOf(w.events);
    expect(first).toMatchObject({ at: 0, ended: 0, children: 2, assessment: { coverage: 0.5 } });
    expect(first?.report?.usage.subtree.depth).toBe(1);
    expect(first?.report?.escalations.map(({ id }) => id)).toEqual([`${PATH}#said`]);
    expect(w.eventsOf('finding.escalated').map(({ at, finding: { id } }) => [at, id])).toEqual([[0, `${PATH}#said`]]);
    expect(brief.escalations).toHaveLength(1);
    expect(brief.gaps.map(({ path, kind }) => `${path}: ${kind}`)).toEqual([`${PATH}: token`]);
    expectBriefs(w.events);
    expectNoFall(w.events);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is not its end', async () => {
    const w = beside(saying(guestReport(PATH, { findings: [guestFinding(PATH)] })));
    await w.run();
    expect(w.endOf(PATH)).toMatchObject({ kind: 'failure', status: 'timeout' });
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'complete'],
    ['no findings', { ...guestReport(PATH), findings: 7 }],
    ['a finding that is none', { ...guestReport(PATH), findings: [{ statement: 'x' }] }],
    [
      'a getter that throws',
      Object.defineProperty({ ...guestReport(PATH) }, 'findings', { get: boom, enumerable: true }),
    ],
    ['of another node', guestReport('root/l0', { findings: [guestFinding('root/l0')] })],
    ['of the root', guestReport('root', { findings: [guestFinding('root')] })],
    ['a proxy', new Proxy({}, { get: boom, has: boom, ownKeys: boom })],
  ])('%s counts for nothing', async (_, report) => {
    const w = beside(saying(report));
    const { brief } = await w.run();
    expect(interimsOf(w.events).map(({ at }) => at)).toEqual([20_000]);
    expect(brief.findings.map(({ path }) => path)).toEqual(['root/l0']);
    expect(w.eventsOf('interim.failed')).toEqual([]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('under the path of another node is brought home and flagged', async () => {
    const w = beside(saying(guestReport(PATH, { findings: [guestFinding('root/l0')] })));
    await w.run();
    expect(interimsOf(w.events)[0]?.report?.findings.map(({ id }) => id)).toEqual([`${PATH}#said`]);
    expect(w.eventsOf('integrity.alert')).toHaveLength(1);
  });

  it('in a flood, of ever less, lets coverage not fall, and is debounced', async () => {
    const flood = Array.from({ length: 500 }, (_, i): UnsealedReport =>
      guestReport(PATH, { findings: i === 0 ? [guestFinding(PATH)] : [] }),
    );
    const w = beside(saying(...flood));
    await w.run();
    expectNoFall(w.events);
    expect(interimsOf(w.events).map(({ at }) => at)).toEqual([0, 250, 20_000]);
  });

  it('is nothing to a parent whose synthesis is final, whatever others are', async () => {
    const guest = saying(guestReport(PATH, { findings: [guestFinding(PATH)] }));
    const leaf = defineLeaf({ name: 'l0', run: ({ task }) => draft(task.path) });
    const other = defineDomain({ name: 'd', charter: 'x', children: [leaf], synthesis: 'incremental' });
    const scenario = defineScenario({
      name: 'mixed',
      thesis: 'It holds',
      domains: [other, defineLeaf({ ...leaf, name: 'l1' })],
      limits: { deadline: '40s' },
    });
    for (const synthesis of [undefined, 'final'] as const) {
      const w = slowWorld(scenario, () => 20_000, { guestFor: guestAt(PATH, guest), ...(synthesis && { synthesis }) });
      const { brief } = await w.run();
      expect(interimsOf(w.events).map(({ path }) => path)).toEqual(synthesis ? [] : ['root/d']);
      expect(brief.findings.map(({ path }) => path)).toEqual(['root/d/l0']);
    }
  });
});
