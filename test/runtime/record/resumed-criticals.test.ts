/** Critical findings of an interrupted run: in the brief, the record and the receipt of the one that goes on. */
import { setTimeout } from 'node:timers';
import { describe, expect, it } from 'vitest';
import { fromPromise } from 'xstate';
import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import { defineDomain } from '../../../src/define/define-domain.ts';
import { defineLeaf } from '../../../src/define/define-leaf.ts';
import { defineScenario } from '../../../src/define/define-scenario.ts';
import type { Child, DomainSpec, LeafRun, Scenario } from '../../../src/define/spec.ts';
import type { Store } from '../../../src/ports/store.ts';
import { FindingDraft, type Finding } from '../../../src/protocol/finding.ts';
import type { RunEvent } from '../../../src/protocol/run-event.ts';
import type { Task } from '../../../src/protocol/task.ts';
import { start, type InProcessOptions } from '../../../src/runtime/in-process/start.ts';
import { recallOf } from '../../../src/runtime/record/recall.ts';
import { verifyRun } from '../../../src/runtime/record/verify.ts';
import type { RunOutcome } from '../../../src/runtime/run.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { mint } from '../../../src/tier/minting.ts';
import { CRITICAL, draft, never } from '../../support/world.ts';

const ID = 'root/d/loud#said';
const loud = (then: LeafRun): Child =>
  defineLeaf({
    name: 'loud',
    run: (context) => {
      context.report(draft(context.task.path, CRITICAL));
      return then(context);
    },
  });
const quiet = (run: LeafRun = ({ task }) => draft(task.path)): Child => defineLeaf({ name: 'quiet', run });
const hangs: LeafRun = () => never();
const domain = (children: readonly Child[], over: Partial<DomainSpec> = {}): Scenario =>
  defineScenario({
    name: 'resumed',
    thesis: 'It holds',
    domains: [defineDomain({ name: 'd', charter: 'of d', children: [...children], ...over })],
    limits: { deadline: 10_000 },
  });

/** Each scenario is a part of the same run: the process ends after so many ms, or the run is cancelled at once. */
async function parts(...given: readonly (readonly [Scenario, cut?: number | 'cancelled'])[]): Promise<{
  store: Store;
  outcome: RunOutcome;
}> {
  const store = memoryStore();
  const clock = new VirtualClock();
  let outcome: RunOutcome | undefined;
  for (const [part, [scenario, cut]] of given.entries()) {
    const options: InProcessOptions = { store, clock, ...(part === 0 ? { runId: 'run' } : { resume: 'run' }) };
    const handle = start(scenario, options);
    if (cut === 'cancelled') handle.cancel();
    else if (cut !== undefined) clock.setTimeout(() => handle.stop(), cut);
    outcome = await clock.run(handle.result.catch(() => undefined));
  }
  if (!outcome) throw new Error('the last part delivers');
  return { store, outcome };
}
const criticalsOf = ({ store, outcome }: { store: Store; outcome: RunOutcome }): unknown => ({
  brief: outcome.escalations.map(({ id }) => id),
  receipt: Object.keys(store.run('run')?.receipt?.criticals ?? {}),
  problems: verifyRun(store, 'run').problems,
});
const KEPT = { brief: [ID], receipt: [ID], problems: [] };
const TAKEN_BACK = { brief: [], receipt: [], problems: [] };

it('keeps what was said by a leaf that ended too late, and does not say it again', async () => {
  let attempts = 0;
  const run: LeafRun = ({ task, report }) => {
    if (attempts++ > 0) return draft(task.path, { key: 'other' });
    report(draft(task.path, CRITICAL));
    return never();
  };
  const scenario = domain([quiet(), defineLeaf({ name: 'loud', run })]);
  expect(criticalsOf(await parts([scenario], [scenario]))).toEqual(KEPT);
});

it('keeps what was said by leaves that the resumed run does not reach', async () => {
  const scenario = domain([loud(hangs), quiet()]);
  expect(criticalsOf(await parts([scenario, 50], [scenario, 'cancelled']))).toEqual(KEPT);
});

it('keeps what was said by a leaf that goes on in a domain that was taken back', async () => {
  const children = [loud(({ task }) => draft(task.path, { key: 'end' })), quiet(hangs)];
  const changed = domain(children, { join: { quorum: 1 } }); // as they were, with another parent
  expect(criticalsOf(await parts([domain(children), 50], [changed]))).toEqual(KEPT);
});

it('takes back what was said by a leaf that has changed since', async () => {
  const changed = defineLeaf({ name: 'loud', run: ({ task }) => draft(task.path) });
  expect(criticalsOf(await parts([domain([loud(hangs), quiet()]), 50], [domain([changed, quiet()])]))).toEqual(
    TAKEN_BACK,
  );
});

it('takes back what was said by a leaf that is gone, and runs it again when it is back', async () => {
  const children = [loud(({ task }) => draft(task.path, { key: 'end' })), quiet(hangs)];
  const without = domain([quiet(hangs)]);
  expect(criticalsOf(await parts([domain(children), 50], [without]))).toEqual(TAKEN_BACK);
  expect(criticalsOf(await parts([domain(children), 50], [without, 50], [domain(children)]))).toEqual(KEPT);
});

describe('a critical finding that came after its node had ended', () => {
  const late = (task: Task) => draft(task.path, { statement: 'Too late', ...CRITICAL });
  /** Its listener says it when the attempt is over. */
  const failsAndSaysLate: LeafRun = ({ task, report, abortSignal }) => {
    abortSignal.addEventListener('abort', () => setTimeout(() => report(late(task))));
    throw new Error('not this time');
  };
  let hasDied = false;
  const scenario = domain([
    defineLeaf({ name: 'loud', run: (given) => (hasDied ? late(given.task) : failsAndSaysLate(given)), attempts: 1 }),
    quiet((given) => (hasDied ? draft(given.task.path) : never())),
  ]);
  async function interrupted(): Promise<Store> {
    hasDied = false;
    const store = memoryStore();
    const { promise, resolve } = Promise.withResolvers<void>();
    const onEvent = ({ type }: RunEvent): void => void (type === 'child.late' && resolve());
    const handle = start(scenario, { store, clock: new VirtualClock(), runId: 'run', onEvent });
    await promise;
    handle.stop();
    hasDied = true;
    return store;
  }
  const goOn = (store: Store, retryFailed: boolean): Promise<RunOutcome> => {
    const clock = new VirtualClock();
    return clock.run(start(scenario, { store, clock, resume: 'run', retryFailed }).result);
  };

  it('is in the brief of the run that goes on', async () => {
    const store = await interrupted();
    const { gaps } = await goOn(store, false);
    expect(gaps.map(({ path, kind }) => `${path} ${kind}`)).toContain('root/d/loud undone');
    expect(gaps.map(({ why }) => why)).toContain('a critical finding came after this node had ended: Too late');
    expect(verifyRun(store, 'run').problems).toEqual([]);
  });

  it('is no gap when its node runs again and says it in time', async () => {
    const store = await interrupted();
    const { escalations, gaps } = await goOn(store, true);
    expect(escalations.map(({ id }) => id)).toEqual([ID]);
    expect(gaps).toEqual([]);
    expect(verifyRun(store, 'run').problems).toEqual([]);
  });
});

it('keeps what a guest had called critical, does not say it again, and no other takes its place', async () => {
  const scenario = domain([loud(hangs)]);
  const finding = (statement: string): Finding => {
    const { finding } = mint('root/d/loud', FindingDraft.parse(draft('', { statement, ...CRITICAL })), 0, new Map());
    return finding;
  };
  const [first, other] = [finding('First'), finding('Other')];
  const store = memoryStore();
  const part = (says: readonly Finding[], over: InProcessOptions): Promise<RunOutcome | undefined> => {
    const guest = fromPromise<unknown>(({ self }) => {
      self._parent?.send({ type: 'espalier.up', findings: says });
      return says.length === 1 ? never() : Promise.resolve(draft('', { key: 'end' }));
    });
    const clock = new VirtualClock();
    const handle = start(scenario, {
      store,
      clock,
      guestFor: (child) => (child.name === 'loud' ? guest : undefined),
      ...over,
    });
    if (says.length === 1) clock.setTimeout(() => handle.stop(), 50);
    return clock.run(handle.result.catch(() => undefined));
  };
  await part([first], { runId: 'run' });
  const outcome = await part([first, other], { resume: 'run' });
  expect(outcome?.escalations.map(({ id, statement }) => [id, statement])).toEqual([
    [ID, 'First'],
    [`${ID}~2`, 'Other'],
  ]);
  const reported = Array.from(store.events('run', { types: ['finding.reported'] }), ({ body }) => body);
  expect(reported.filter((body) => body.includes('First'))).toHaveLength(1);
  expect(verifyRun(store, 'run').problems).toEqual([]);
});

it('knows a decision from before its node started again, also when the store has the new entry', async () => {
  const scenario = domain([loud(hangs)]);
  const store = memoryStore();
  const clock = new VirtualClock();
  const handle = start(scenario, { store, clock, runId: 'run' });
  clock.setTimeout(() => handle.stop(), 50);
  await clock.run(handle.result.catch(() => undefined));
  const node = store.node('run', 'root/d');
  if (!node?.taskDigest || !node.definition) throw new Error('it has started');
  const { definition, taskDigest } = node;
  const identify = () => ({ definition, taskDigest });
  const recall = recallOf({ store, runId: 'run', identify, retryFailed: false });
  const task = { path: 'root/d' } as Task;
  expect(recall.endOf(task)).toBeUndefined();
  const { planned: _, ...seq } = node.seq;
  store.claim('run').write({ events: [], nodes: [{ ...node, seq }], durations: [], enrichments: [] });
  expect(recall.decisionOf(task)?.stages).toHaveLength(1);
});
