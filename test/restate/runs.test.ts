/** What only a distributed run can do, or leave behind. */
import { describe, expect, it } from 'vitest';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { artifactFolder, memoryStore, run, start, verifyRun, type RunEvent } from '../../src/index.ts';
import { restate, serve, services, type Serving } from '../../src/restate.ts';
import type { LeafSpec } from '../../src/define/spec.ts';
import { domain, leaf, never, pause, said, scenarioOf, started, ALARM } from '../contracts/host/bench.ts';
import { restateUnderTest } from './host-under-test.ts';
import { isInstalled } from './program.ts';

describe.skipIf(!isInstalled())('a run at a Restate server', () => {
  const under = restateUnderTest();
  const openOf = (runId: string) =>
    under().server.query<{ target: string; status: string }>(
      `SELECT i.target, i.status FROM sys_invocation i WHERE i.target LIKE '%${runId}%' AND i.status NOT IN ('completed', 'scheduled')`,
    );
  const nothingOpen = () => expect.poll(() => under().leftovers(), { timeout: 10_000, interval: 50 }).toEqual([]);
  const waits =
    (ms: number): LeafSpec['run'] =>
    async ({ task }) => {
      await pause(ms);
      return said(task.path, ALARM);
    };

  it('outlives its caller: who comes back by its id is told everything, and gets the same brief', async () => {
    const scenario = scenarioOf([domain('d', [leaf('l', { run: waits(600) }), leaf('quick')])]);
    await under().serve(scenario);
    const first = start(scenario, { host: under().host });
    await pause(200); // and then the first caller does not look any more
    const events: RunEvent[] = [];
    const again = await run(scenario, {
      host: under().host,
      runId: first.runId,
      onEvent: (event) => events.push(event),
    });
    const { brief } = await first.result;
    expect(again.brief).toEqual(brief);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
    expect(events.filter(({ type }) => type === 'finding.escalated')).toHaveLength(1);
  });

  it('is recorded where its caller keeps runs, and verified there', async () => {
    const scenario = scenarioOf([domain('d', [leaf('l', { run: waits(10) }), leaf('m')])]);
    await under().serve(scenario);
    const store = memoryStore();
    const { runId, brief } = await run(scenario, { host: under().host, store });
    expect(store.run(runId)).toMatchObject({ state: 'complete' });
    expect([...store.nodes(runId)].map(({ path }) => path).toSorted()).toEqual([
      'root',
      'root/d',
      'root/d/l',
      'root/d/m',
    ]);
    expect(verifyRun(store, runId)).toMatchObject({ problems: [] });
    expect(brief.escalations).toHaveLength(1);
  });

  it('says that it hedges nobody, once for whoever runs it, and keeps that', async () => {
    const scenario = scenarioOf([domain('d', [leaf('l')])], { limits: { hedge: { after: '1s' } } });
    const store = memoryStore();
    const { handle, done } = await started(under(), scenario, { store });
    const said = (await done).eventsOf('limit.ignored');
    expect(said).toMatchObject([{ path: 'root', limit: 'hedge', message: expect.stringContaining('has no effect') }]);
    expect([...store.events(handle.runId, { types: ['limit.ignored'] })]).toHaveLength(1);
    const without = await (await started(under(), scenario, { hedge: false })).done;
    expect(without.eventsOf('limit.ignored')).toEqual([]);
  });

  it('keeps big outputs where all workers can read them, and copies them into the record', async () => {
    const artifacts = artifactFolder(mkdtempSync(join(tmpdir(), 'espalier-artifacts-')));
    const text = 'x'.repeat(100_000);
    const scenario = scenarioOf([
      domain('d', [
        leaf('keeps', {
          run({ artifacts: shelf, task }) {
            shelf.keep('log', text);
            return said(task.path);
          },
        }),
        leaf('reads', {
          needs: ['keeps'],
          run({ artifacts: shelf, task, prior }) {
            const { ref = '' } = prior('keeps')?.artifacts[0] ?? {};
            return said(task.path, { value: shelf.read(ref).length });
          },
        }),
      ]),
    ]);
    const worker = await serve({ services: services(scenario, { artifacts }) });
    await under().server.register(worker.uri);
    const store = memoryStore();
    const host = restate({ ingress: under().server.ingress, artifacts });
    const { runId, brief } = await run(scenario, { host, store });
    expect(brief.findings.find(({ path }) => path.endsWith('reads'))?.value).toBe(text.length);
    expect(verifyRun(store, runId)).toMatchObject({ problems: [] });
    await nothingOpen(); // what is forgotten after a run needs its worker
    await worker.close();
  });

  it('counts what an attempt had spent whose worker died, and what it spends when it begins again', async () => {
    let executions = 0;
    const hasSpoken = Promise.withResolvers<void>();
    const spending = leaf('spends', {
      async run({ task, budget, report }) {
        executions++;
        budget.reserve({ usd: 0.25 }).settle({ usd: 0.25, inputTokens: 10, outputTokens: 1 });
        if (executions > 1) return said(task.path);
        report(said(task.path, { key: 'first', ...ALARM }));
        hasSpoken.resolve();
        return never();
      },
    });
    const scenario = scenarioOf([domain('d', [spending])], {
      limits: { deadline: '60s', budget: { usd: 1 } },
    });
    const first = await serve({ services: services(scenario) });
    await under().server.register(first.uri);
    const handle = start(scenario, {
      host: restate({ ingress: under().server.ingress }),
      onEvent: async ({ type }) => {
        if (type !== 'finding.escalated') return;
        await hasSpoken.promise;
        await first.close();
        second = serve({ services: services(scenario), port: first.port });
      },
    });
    let second: Promise<Serving> | undefined;
    const { brief } = await handle.result;
    await nothingOpen();
    await (await second)?.close();
    expect(executions).toBe(2);
    expect(brief.usage.subtree).toMatchObject({ usd: 0.5, inputTokens: 20, outputTokens: 2 });
  });

  it('closes every invocation when it is cancelled, however many there are', async () => {
    const leaves = Array.from({ length: 12 }, (_, i) => leaf(`l${i}`, { run: never }));
    const scenario = scenarioOf(
      [0, 1, 2].map((i) => domain(`d${i}`, leaves)),
      { limits: { concurrency: 20 } },
    );
    const running = await started(under(), scenario);
    await expect.poll(() => running.eventsOf('attempt.started').length, { timeout: 15_000 }).toBe(20);
    running.handle.cancel();
    const { status, brief } = await running.done;
    expect(status).toBe('failed');
    expect(brief.gaps).toHaveLength(36);
    await nothingOpen();
    expect(await openOf(running.handle.runId)).toEqual([]);
  });

  it('leaves nothing open after many runs with faults, cancelled or stopped at any moment', async () => {
    const runOf = (kind: number): LeafSpec['run'] =>
      [
        ({ task }: { task: { path: string } }) => said(task.path, ALARM),
        () => Promise.reject(new Error('it broke')),
        never,
        () => undefined as never,
      ][kind % 4] as LeafSpec['run'];
    const scenario = scenarioOf(
      [0, 1].map((d) =>
        domain(
          `d${d}`,
          [0, 1, 2].map((l) => leaf(`l${l}`, { run: runOf(d + l), attempts: 2 })),
          { join: { quorum: 2 } },
        ),
      ),
      { limits: { deadline: '2500ms', concurrency: 4 } },
    );
    await under().serve(scenario);
    const runs = Array.from({ length: 50 }, async (_, i) => {
      await pause(i * 40);
      const handle = start(scenario, { host: under().host });
      if (i % 3 === 1) setTimeout(() => handle.cancel(), (i * 37) % 900);
      if (i % 3 === 2) setTimeout(() => handle.stop(), (i * 53) % 900);
      return handle.result.then(
        ({ status }) => status,
        (error: { code?: string }) => error.code,
      );
    });
    const ends = new Set(await Promise.all(runs));
    expect(
      [...ends].filter((end) => end !== 'partial' && end !== 'failed' && end !== 'stopped' && end !== 'complete'),
    ).toEqual([]);
    await expect.poll(() => under().leftovers(), { timeout: 20_000, interval: 100 }).toEqual([]);
  }, 60_000);

  it('grants every slot in the end, however they are given back', async () => {
    const leaves = Array.from({ length: 40 }, (_, i) => leaf(`l${i}`, { run: waits(i % 7) }));
    const scenario = scenarioOf(
      [0, 1, 2].map((i) => domain(`d${i}`, leaves)),
      { limits: { concurrency: 7 } },
    );
    const { status, brief } = await (await started(under(), scenario)).done;
    expect(status).toBe('complete');
    expect(brief.findings).toHaveLength(120);
  });

  it('takes a wide stage, awaited in the order of its calls', async () => {
    const width = 600;
    const leaves = Array.from({ length: width }, (_, i) => leaf(`l${i}`));
    const scenario = scenarioOf([domain('d', leaves)], { limits: { concurrency: width, deadline: '30s' } });
    const running = await started(under(), scenario);
    const { brief } = await running.done;
    expect(brief.usage.subtree).toMatchObject({ leaves: width });
    expect(brief.status).toBe('complete');
  }, 60_000);

  it('sees the quorum of a wide stage whose first leaf hangs', async () => {
    const width = 310;
    const leaves = Array.from({ length: width }, (_, i) =>
      leaf(`l${i}`, { run: ({ task }) => (i === 0 ? never() : said(task.path, i === width - 1 ? ALARM : {})) }),
    );
    const scenario = scenarioOf([domain('d', leaves, { join: { quorum: width - 1 } })], {
      limits: { concurrency: width, deadline: '20s' },
    });
    const { status, escalations, eventsOf, endOf } = await (await started(under(), scenario)).done;
    expect(status).toBe('complete');
    expect(escalations.map(({ path }) => path)).toEqual(['root/d/l309']);
    expect(eventsOf('node.reported').filter(({ tier }) => tier === 'leaf')).toHaveLength(width - 1);
    expect(endOf('root/d/l0')).toMatchObject({ kind: 'failure', status: 'cancelled' });
  });

  it('keeps what a leaf had called critical when its worker refuses to go on', async () => {
    const scenario = scenarioOf([
      domain('d', [
        leaf('l', {
          async run({ report, task }) {
            report(said(task.path, ALARM));
            await pause(300);
            return never();
          },
        }),
      ]),
    ]);
    const running = await started(under(), scenario);
    await expect.poll(() => running.eventsOf('finding.escalated').length, { timeout: 5_000 }).toBe(1);
    const { server } = under();
    const [one] = await server.query<{ id: string }>(
      "SELECT id FROM sys_invocation WHERE target_service_name LIKE '%.leaf' AND status NOT IN ('completed')",
    );
    await fetch(`${server.admin}/invocations/${one?.id}/kill`, { method: 'PATCH' });
    const done = await running.done;
    expect(done.endOf('root/d/l')).toMatchObject({ kind: 'failure', status: 'error' });
    expect(done.escalations.map(({ path }) => path)).toEqual(['root/d/l']);
    expect(done.status).toBe('partial');
  });

  describe('says in one line what is wrong', () => {
    const failing = (host: Parameters<typeof run>[1]) =>
      run(scenarioOf([domain('d', [leaf('l')])]), host).then(
        () => 'nothing',
        ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
      );
    it('when no worker serves the scenario', async () => {
      expect(await failing({ host: under().host })).toMatch(
        /^invalid-input: No worker of scenario "case-\d+-\d+" is known .*Start one, and register it/,
      );
    });
    it('when nobody answers', async () => {
      expect(await failing({ host: restate({ ingress: 'http://127.0.0.1:9' }) })).toMatch(
        /^server-fault: The Restate server at http:\/\/127.0.0.1:9 does not answer/,
      );
    });
    it('when the ingress is no URL', () => {
      expect(() => restate({ ingress: 'somewhere' })).toThrow(
        'The ingress of the Restate server is "somewhere". Give its URL',
      );
    });
    it('when an option is of this process', () => {
      const scenario = scenarioOf([domain('d', [leaf('l')])]);
      const { host } = under();
      expect(() => start(scenario, { host, random: () => 0 })).toThrow('The option random is of this process');
      expect(() => start(scenario, { host, guestFor: () => undefined })).toThrow(
        'The option guestFor is of runs in this process',
      );
    });
    it('when the scenario cannot be distributed', () => {
      const scenario = scenarioOf([domain('d', [leaf('l')])], { dependencies: 'observe' });
      expect(() => start(scenario, { host: under().host })).toThrow('observes undeclared reads');
    });
  });
});
