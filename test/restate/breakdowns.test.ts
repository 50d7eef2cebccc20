/** What becomes of a run when its server is gone or does not take what it is given, or an operator ends what is at work. */
import { describe, expect, it } from 'vitest';
import { memoryStore, run, start, verifyRun, type RunEvent, type Scenario, type Store } from '../../src/index.ts';
import { restate } from '../../src/restate.ts';
import { ALARM, domain, leaf, never, pause, said, scenarioOf, started, type Running } from '../contracts/host/bench.ts';
import { serviceNames } from '../../src/runtime/restate/names.ts';
import { restateUnderTest } from './host-under-test.ts';
import { isInstalled } from './program.ts';

const MIB = 1024 * 1024;
const big = (mib: number): string => 'x'.repeat(mib * MIB);
const CANNOT_TRAVEL = /has \d+ bytes.*, and \d+ can travel. Keep what is big as an artifact/;
const codeAnd = (error: unknown): string => {
  const { code, message } = error as { code: string; message: string };
  return `${code}: ${message}`;
};

describe.skipIf(!isInstalled())('with a Restate server', () => {
  const under = restateUnderTest({ retention: '300ms' });
  const impatient = () => restate({ ingress: under().server.ingress, patience: '300ms' });
  const nothingOpen = (timeout = 5_000) =>
    expect.poll(() => under().leftovers(), { timeout, interval: 50 }).toEqual([]);
  const failed = (work: Promise<unknown>) => work.then(() => 'nothing', codeAnd);

  describe('that is not there', () => {
    it('a run has not begun: it is said in one line, and nothing is kept of it', async () => {
      const store = memoryStore();
      const events: RunEvent[] = [];
      await under().server.kill();
      const { result } = start(scenarioOf([domain('d', [leaf('l')])]), {
        host: impatient(),
        store,
        onEvent: (event) => events.push(event),
      });
      expect(await failed(result)).toMatch(
        /^server-fault: The Restate server at \S+ does not answer: .+\. Start it, or give the URL of another\.$/,
      );
      await under().server.restart();
      expect([...store.runs()]).toEqual([]);
      expect(events).toEqual([]);
    });

    it('so it is for one that nobody there serves', async () => {
      const store = memoryStore();
      const scenario = scenarioOf([domain('d', [leaf('l')])]);
      expect(await failed(run(scenario, { host: impatient(), store }))).toMatch(
        /^invalid-input: No worker of scenario/,
      );
      expect([...store.runs()]).toEqual([]);
    });
  });

  describe('that is gone for longer than its caller waits', () => {
    const gone = async (scenario: Scenario, store = memoryStore()) => {
      await under().serve(scenario);
      const { handle, done, eventsOf } = await started(
        { ...under(), start: async (...given) => start(...given) },
        scenario,
        {
          host: impatient(),
          store,
        },
      );
      await expect.poll(() => eventsOf('finding.reported').length, { timeout: 5_000 }).toBe(1);
      await under().server.kill();
      return { runId: handle.runId, why: await failed(done), store };
    };
    const patient = () =>
      scenarioOf([
        domain('d', [
          leaf('l', {
            async run({ report, task }) {
              report(said(task.path, ALARM));
              await pause(600);
              return said(task.path, { key: 'end' });
            },
          }),
        ]),
      ]);

    it('the run is cut off: it is resumed when the server is back, and not before', async () => {
      const scenario = patient();
      const { runId, why, store } = await gone(scenario);
      expect(why).toMatch(
        /^server-fault: .+ has not answered for 0\.3 s: .+ goes on when it is back: resume the run then/,
      );
      const cutOff = store.run(runId);
      expect(cutOff).toMatchObject({ state: 'running' });
      expect(cutOff?.claim?.isLive ?? false).toBe(false);

      const resumed = () => run(scenario, { host: impatient(), store, resume: runId });
      expect(await failed(resumed())).toMatch(/^server-fault: .+ does not answer/);
      expect(store.run(runId)).toEqual(cutOff);

      await under().server.restart();
      const { brief } = await resumed();
      expect(brief.status).toBe('complete');
      expect(brief.escalations).toHaveLength(1);
      expect(store.run(runId)).toMatchObject({ state: 'complete' });
      expect(verifyRun(store, runId)).toMatchObject({ problems: [] });
      expect([...store.events(runId, { types: ['finding.escalated'] })]).toHaveLength(1);
    });

    it('a run that was stopped meanwhile ends when the server is back', async () => {
      const scenario = scenarioOf([
        domain('d', [
          leaf('l', {
            run({ report, task }) {
              report(said(task.path, ALARM));
              return never();
            },
          }),
        ]),
      ]);
      const { handle, done, eventsOf } = await started(under(), scenario);
      await expect.poll(() => eventsOf('finding.reported').length, { timeout: 5_000 }).toBe(1);
      await under().server.kill();
      handle.stop();
      await expect(done).rejects.toMatchObject({ code: 'stopped' });
      await under().server.restart();
      await nothingOpen();
    });

    it('whoever comes back by its id is told all of it', async () => {
      const scenario = patient();
      const { runId } = await gone(scenario);
      await under().server.restart();
      const events: RunEvent[] = [];
      const { brief } = await run(scenario, { host: under().host, runId, onEvent: (event) => events.push(event) });
      expect(brief.status).toBe('complete');
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
      expect(events[0]?.type).toBe('run.started');
    });
  });

  describe('whose operator kills', () => {
    const scenarioDue = (deadline: string) =>
      scenarioOf(
        [0, 1].map((i) =>
          domain(`d${i}`, [
            leaf('quick', { run: ({ task }) => said(task.path, ALARM) }),
            leaf('hangs', {
              run({ report, task }) {
                report(said(task.path, { key: 'meanwhile' }));
                return never();
              },
            }),
          ]),
        ),
        { limits: { deadline, budget: { usd: 1 } } },
      );
    const at = async (deadline: string): Promise<Running & { store: Store; scenario: Scenario }> => {
      const [scenario, store] = [scenarioDue(deadline), memoryStore()];
      const running = await started(under(), scenario, { store });
      await expect.poll(() => running.eventsOf('finding.reported').length, { timeout: 5_000 }).toBe(4);
      return { ...running, store, scenario };
    };
    /** The invocation of the run, or of the node at this path, which its caller's journal names. */
    const invocationsOf = async (runId: string, runs: string, path: string): Promise<string[]> => {
      const { query } = under().server;
      if (path === '') {
        const rows = await query<{ id: string }>(`SELECT id FROM sys_invocation WHERE idempotency_key = '${runId}'`);
        return rows.map(({ id }) => id);
      }
      const rows = await query<{ entry: string }>(
        `SELECT entry_lite_json AS entry FROM sys_journal WHERE name = '${path}' AND entry_type = 'Command: Call'`,
      );
      const calls = rows.map(({ entry }) => (JSON.parse(entry) as { Command: { Call: Call } }).Command.Call);
      return calls.flatMap((call) =>
        call.invocation_target.Service.name.startsWith(`${runs}.`) ? [call.invocation_id] : [],
      );
    };
    type Call = { invocation_id: string; invocation_target: { Service: { name: string } } };
    const kill = async ({ scenario, handle }: { scenario: Scenario } & Running, path = ''): Promise<void> => {
      const ids = await invocationsOf(handle.runId, serviceNames(scenario.name).runs, path);
      expect(ids).toHaveLength(1);
      await fetch(`${under().server.admin}/invocations/${ids[0]}/kill`, { method: 'PATCH' });
    };
    const stateOf = (runId: string) =>
      under().server.query(`SELECT service_name, key FROM state WHERE service_key = '${runId}'`);

    it('the run: its caller hears of that at once, and in the end nothing of it is left', async () => {
      const running = await at('4s'); // and after that and the retention it is forgotten
      const { done, store } = running;
      const { runId } = running.handle;
      await kill(running);
      expect(await failed(done)).toMatch(
        /^server-fault: The run was killed at the Restate server at \S+, and delivers nothing/,
      );
      expect(store.run(runId)).toMatchObject({ state: 'running' });
      // What its record holds can still be gone on with, where there is no server to have killed it.
      const here = await run(running.scenario, { store, resume: runId, deadline: 300 });
      expect(here.brief.findings).toHaveLength(4);
      expect(here.escalations).toHaveLength(2);
      await nothingOpen(10_000);
      await expect.poll(() => stateOf(runId), { timeout: 10_000, interval: 50 }).toEqual([]);
    });

    it('the root: the brief says so, and has what was said', async () => {
      const running = await at('20s');
      const { handle, done } = running;
      await kill(running, 'root');
      const { status, brief, gaps, endOf } = await done;
      expect(status).toBe('partial');
      const why = 'cancelled: cut off: the node above it had ended';
      expect(gaps).toMatchObject([
        { path: 'root/d0', kind: 'token', status: 'cancelled', why },
        { path: 'root/d1', kind: 'token', status: 'cancelled', why },
        { path: 'root', kind: 'token', status: 'error', why: 'error: its invocation is lost: killed' },
      ]);
      expect(brief.madeBy).toBe('deterministic');
      for (const path of ['root/d0', 'root/d0/hangs']) expect(endOf(path)).toMatchObject({ status: 'cancelled' });
      expect(brief.findings).toHaveLength(4);
      expect(brief.escalations.map(({ path }) => path).toSorted()).toEqual(['root/d0/quick', 'root/d1/quick']);
      await nothingOpen();
      await expect.poll(() => stateOf(handle.runId), { timeout: 5_000, interval: 50 }).toEqual([]);
    });

    it.each([
      ['an orchestrator', 'root/d0'],
      ['a leaf', 'root/d0/hangs'],
    ])('%s: it is a gap, and its sibling goes on', async (_, path) => {
      const running = await at('20s');
      const { handle, done, eventsOf } = running;
      await kill(running, path);
      await expect.poll(() => eventsOf('node.failed').length, { timeout: 5_000 }).toBe(1);
      handle.cancel();
      const { status, brief, gaps, endOf } = await done;
      expect(status).toBe('partial');
      expect(endOf(path)).toMatchObject({
        kind: 'failure',
        status: 'error',
        message: 'its invocation is lost: killed',
      });
      expect(gaps.map((gap) => gap.path)).toEqual([path, 'root/d1/hangs']);
      expect(brief.findings).toHaveLength(4);
      expect(endOf('root/d1')).toMatchObject({ kind: 'report', status: 'partial' });
      await nothingOpen();
    });
  });

  describe('that takes no more than so much in one piece', () => {
    it('a result, or a finding that is reported before, is refused, and its leaf is a gap', async () => {
      const scenario = scenarioOf([
        domain('d', [
          leaf('ends', { run: ({ task }) => said(task.path, { data: big(13) }) }),
          leaf('reports', {
            attempts: 1,
            run({ report, task }) {
              report(said(task.path, { key: 'much', data: big(13) }));
              return said(task.path);
            },
          }),
          leaf('small'),
        ]),
      ]);
      const { gaps, brief } = await (await started(under(), scenario)).done;
      const why = expect.stringMatching(CANNOT_TRAVEL);
      expect(gaps).toMatchObject([
        { path: 'root/d/ends', status: 'error', why },
        { path: 'root/d/reports', status: 'error', why },
      ]);
      expect(brief.findings.map(({ path }) => path)).toEqual(['root/d/small']);
    });

    it('a thesis is no input, and nothing is kept of such a run', async () => {
      const scenario = scenarioOf([domain('d', [leaf('l')])]);
      await under().serve(scenario);
      const store = memoryStore();
      await expect(run(scenario, { host: under().host, store, thesis: big(13) })).rejects.toMatchObject({
        code: 'invalid-input',
        message: expect.stringContaining('its thesis above all, has 13631'),
      });
      expect([...store.runs()]).toEqual([]);
    });
  });
});
