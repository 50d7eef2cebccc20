/** Runs that somebody takes up at a Restate server where their record ends, or can take up there no more. */
import { describe, expect, it } from 'vitest';
import { EspalierError, memoryStore, run, start, verifyRun, type RunOptions, type Store } from '../../src/index.ts';
import type { Scenario } from '../../src/define/spec.ts';
import { serve, services } from '../../src/restate.ts';
import type { Batch } from '../../src/ports/store.ts';
import { serviceNames } from '../../src/runtime/restate/names.ts';
import { ALARM, domain, leaf, pause, said, scenarioOf, started } from '../contracts/host/bench.ts';
import { restateUnderTest } from './host-under-test.ts';
import { isInstalled } from './program.ts';

/** The store, for a caller who loses the run to somebody else: `kept` says which events of a batch are written before. */
function cutOff(store: Store, kept: (events: Batch['events']) => Batch['events']): Store {
  return {
    ...store,
    begin(given) {
      const writer = store.begin(given);
      return {
        ...writer,
        write({ end: _, ...batch }) {
          const events = kept(batch.events);
          writer.write({ ...batch, events });
          if (events.length < batch.events.length) throw new EspalierError('claim-lost', 'It is somebody else’s now.');
        },
      };
    },
  };
}
function cutOffAfter(store: Store, most: number): Store {
  return cutOff(store, (events) => events.filter(({ seq }) => seq < most));
}

const slowTree = (over: Parameters<typeof scenarioOf>[1] = {}) =>
  scenarioOf(
    [
      domain('d', [
        leaf('l', {
          async run({ task }) {
            await pause(400);
            return said(task.path, ALARM);
          },
        }),
        leaf('quick'),
      ]),
    ],
    over,
  );

describe.skipIf(!isInstalled())('a run that is taken up at a Restate server', () => {
  const under = restateUnderTest();
  const statusOf = (runId: string) =>
    under().server.query<{ id: string; status: string }>(
      `SELECT id, status FROM sys_invocation WHERE idempotency_key = '${runId}'`,
    );
  /** Whose caller has lost it after so many events. */
  async function abandoned(scenario: Scenario, store: Store, cut: Store): Promise<string> {
    const { runId, result } = start(scenario, { host: under().host, store: cut });
    await expect(result).rejects.toMatchObject({ code: 'claim-lost' });
    expect(store.run(runId)).toMatchObject({ state: 'running' });
    return runId;
  }

  /** Serves it so that the server forgets its runs a second after they have ended. */
  async function servedForgetfully(scenario: Scenario): Promise<AsyncDisposable> {
    const worker = await serve({ services: services(scenario, { retention: '1s' }) });
    await under().server.register(worker.uri);
    return { [Symbol.asyncDispose]: () => worker.close() };
  }
  /** Also of the result, which the server itself would have taken an hour for. */
  async function forgotten(runId: string): Promise<void> {
    await expect.poll(() => statusOf(runId), { timeout: 10_000 }).toMatchObject([{ status: 'completed' }]);
    const kept = () => under().server.query(`SELECT key FROM state WHERE service_key = '${runId}'`);
    await expect.poll(kept, { timeout: 10_000 }).toEqual([]);
  }
  async function purged(runId: string): Promise<void> {
    const [invocation] = await statusOf(runId);
    await fetch(`${under().server.admin}/invocations/${invocation?.id}/purge`, { method: 'PATCH' });
    await expect.poll(() => statusOf(runId)).toEqual([]);
  }

  it('goes on being recorded where the record ends', async () => {
    const scenario = slowTree();
    await under().serve(scenario);
    const store = memoryStore();
    const runId = await abandoned(scenario, store, cutOffAfter(store, 6));
    const recorded = [...store.events(runId)].length;
    const told: number[] = [];
    const { brief } = await run(scenario, {
      host: under().host,
      store,
      resume: runId,
      onEvent: ({ seq }) => told.push(seq),
    });
    expect(told[0]).toBe(recorded);
    expect(store.run(runId)).toMatchObject({ state: 'complete' });
    expect(verifyRun(store, runId)).toMatchObject({ problems: [] });
    expect([...store.events(runId)].filter(({ type }) => type === 'finding.escalated')).toHaveLength(1);
    expect(brief.status).toBe('complete');
  });

  it('misses nothing of what the server says after something that its caller had said', async () => {
    const scenario = slowTree({
      memory: {
        read: () => '',
        append() {
          throw new Error('nothing can be learned here');
        },
      },
    });
    await under().serve(scenario);
    const store = memoryStore();
    const cut = cutOff(store, (events) => events.filter(({ type }) => type !== 'run.completed'));
    const runId = await abandoned(scenario, store, cut);
    expect([...store.events(runId)].at(-1)).toMatchObject({ type: 'memory.failed' });
    const told: string[] = [];
    await run(scenario, { host: under().host, store, resume: runId, onEvent: ({ type }) => told.push(type) });
    expect(told).toEqual(['run.completed']);
    expect(store.run(runId)).toMatchObject({ state: 'complete' });
    expect(verifyRun(store, runId)).toMatchObject({ problems: [] });
  });

  it('is not begun again by a server that has forgotten it, and can be finished in one process', async () => {
    const scenario = slowTree();
    const store = memoryStore();
    await using _worker = await servedForgetfully(scenario);
    const runId = await abandoned(scenario, store, cutOffAfter(store, 6));
    const there: RunOptions = { host: under().host, store, resume: runId };
    const isRefused = async (): Promise<void> => {
      await expect(run(scenario, there)).rejects.toMatchObject({
        code: 'unknown-run',
        message: expect.stringMatching(/has forgotten what it said\. .* go on in one process: .*--host in-process/),
      });
      expect([...store.events(runId)]).toHaveLength(6);
      expect(store.run(runId)).toMatchObject({ state: 'running' });
    };
    await forgotten(runId);
    await isRefused(); // though the server still has its result
    await expect(run(scenario, { host: under().host, runId })).rejects.toMatchObject({ code: 'unknown-run' });
    await purged(runId);
    await isRefused();
    expect(await statusOf(runId)).toEqual([]);

    expect((await run(scenario, { store, resume: runId })).status).toBe('complete');
    expect(verifyRun(store, runId)).toMatchObject({ problems: [] });
    await expect(run(scenario, there)).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('has gone on in one process, and its Restate server does not know of that.'),
    });
  });

  it('begins there when its record says no more than that it was to begin', async () => {
    const scenario = slowTree();
    const store = memoryStore();
    await using _worker = await servedForgetfully(scenario);
    const runId = await abandoned(scenario, store, cutOffAfter(store, 1));
    await forgotten(runId);
    await purged(runId);
    const { status } = await run(scenario, { host: under().host, store, resume: runId });
    expect(status).toBe('complete');
    expect([...store.events(runId)].filter(({ type }) => type === 'run.started')).toHaveLength(1);
    expect(verifyRun(store, runId)).toMatchObject({ problems: [] });
  });

  it('is not forgotten in mid-run when the time comes to forget an earlier one of its id', async () => {
    const scenario = slowTree();
    const { handle, eventsOf, done } = await started(under(), scenario);
    await expect.poll(() => eventsOf('attempt.started').length, { timeout: 10_000 }).toBeGreaterThan(0);
    const ledger = `${under().server.ingress}/${serviceNames(scenario.name).ledger}/${handle.runId}`;
    const earlier = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"issuedAt":1}' };
    expect((await fetch(`${ledger}/forget`, earlier)).status).toBe(200);
    const { status, events } = await done;
    expect({ status, last: events.at(-1)?.type }).toEqual({ status: 'complete', last: 'run.completed' });
  });

  it('takes nothing that would change it', async () => {
    const scenario = slowTree();
    await under().serve(scenario);
    const store = memoryStore();
    const runId = await abandoned(scenario, store, cutOffAfter(store, 6));
    const changes: RunOptions[] = [
      { deadline: '1m' },
      { concurrency: 1 },
      { budget: { leaves: 1 } },
      { maxDepth: 1 },
      { thesis: 'It does not hold' },
      { retryFailed: true },
    ];
    for (const change of changes) {
      expect(() => start(scenario, { host: under().host, store, resume: runId, ...change })).toThrow(
        new RegExp(`^The option ${Object.keys(change)[0]} cannot change run ${runId}, which goes on at its Restate`),
      );
    }
    const { status } = await run(scenario, { host: under().host, store, resume: runId, retryFailed: false });
    expect(status).toBe('complete');
  });
});
