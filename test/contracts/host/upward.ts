/** What travels up while a run goes on. */
import { describe, expect, it, vi } from 'vitest';
import type { LeafSpec } from '../../../src/define/spec.ts';
import {
  ALARM,
  domain,
  leaf,
  never,
  performed,
  said,
  scenarioOf,
  started,
  type OpenHost,
  type Performed,
} from './bench.ts';

export function upward(open: OpenHost): void {
  describe('what is critical', () => {
    it('is at the root while the leaf that said it still works', async () => {
      const scenario = scenarioOf(
        [
          domain('d', [
            domain('e', [
              leaf('l', {
                async run({ report, task, abortSignal }) {
                  report(said(task.path, ALARM));
                  await Promise.race([
                    never(),
                    new Promise((resolve) => abortSignal.addEventListener('abort', resolve)),
                  ]);
                  return said(task.path, ALARM);
                },
              }),
            ]),
          ]),
        ],
        { limits: { maxDepth: 3 } },
      );
      const run = await started(open(), scenario);
      const isEscalated = () => run.eventsOf('finding.escalated').length;
      await vi.waitFor(() => expect(isEscalated()).toBe(1), { timeout: 15_000, interval: 10 });
      expect(run.endOf('root/d/e/l')).toBeUndefined();
      run.handle.cancel();
      const done = await run.done;
      expect(done.eventsOf('finding.escalated')).toHaveLength(1);
      expect(done.escalations).toHaveLength(1);
    });

    it('stands in every report above it, byte for byte, whoever synthesizes', async () => {
      const scenario = scenarioOf([
        domain('d', [leaf('l', { run: ({ task }) => said(task.path, { statement: 'Fire – 火', ...ALARM }) })], {
          synthesize: () =>
            ({ narrative: 'Nothing to see', dispositions: [], merges: [], derived: [], gaps: [] }) as never,
        }),
      ]);
      const done = await performed(open(), scenario);
      const escalated = done.eventsOf('finding.escalated').map(({ finding }) => JSON.stringify(finding));
      const reported = done.eventsOf('finding.reported').map(({ finding }) => JSON.stringify(finding));
      expect(escalated).toEqual(reported);
      for (const path of ['root/d/l', 'root/d', 'root']) {
        const end = done.endOf(path);
        expect(end?.kind === 'report' && end.escalations.map((one) => JSON.stringify(one))).toHaveLength(1);
      }
      expect(done.brief.escalations.map(({ statement }) => statement)).toEqual(['Fire – 火']);
    });

    it('is said once, though its attempt failed and said it again', async () => {
      const scenario = scenarioOf([
        domain('d', [
          leaf('l', {
            run({ attempt, report, task }) {
              report(said(task.path, ALARM));
              if (attempt === 1) throw new Error('again');
              return said(task.path, ALARM);
            },
          }),
        ]),
      ]);
      const done = await performed(open(), scenario);
      expect(done.eventsOf('finding.escalated')).toHaveLength(1);
      expect(done.brief.findings).toHaveLength(1);
      expect(done.status).toBe('complete');
    });
  });

  describe('what a failed attempt has said', () => {
    /** Speaks live, fails, and finds something else when it is asked again. */
    const retracting = ({ attempt, report, task }: Parameters<LeafSpec['run']>[0]) => {
      if (attempt > 1) return said(task.path, { key: 'second' });
      report(said(task.path, { key: 'taken back' }));
      report(said(task.path, { key: 'alarm', ...ALARM }));
      throw new Error('not so');
    };
    const keysUnder = (path: string, end: ReturnType<Performed['endOf']>): string[] => {
      const findings = end?.kind === 'failure' ? end.partial?.findings : end?.findings;
      return (findings ?? [])
        .flatMap(({ id }) => (id.startsWith(`${path}#`) ? id.slice(path.length + 1) : []))
        .toSorted();
    };
    it('is taken back from those above that are cut off, but for what is critical', async () => {
      const isHeard = Promise.withResolvers<void>();
      const scenario = scenarioOf(
        [
          domain('cut', [leaf('l', { run: retracting }), leaf('hangs', { run: never })]),
          domain('quick', [leaf('l', { run: ({ task }) => isHeard.promise.then(() => said(task.path)) })]),
        ],
        { join: { quorum: 1 } },
      );
      const done = await performed(open(), scenario, {
        onEvent({ type, path }) {
          if (type === 'node.reported' && path === 'root/cut/l') isHeard.resolve();
        },
      });
      expect(keysUnder('root/cut/l', done.endOf('root/cut'))).toEqual(['alarm', 'second']);
      expect(done.brief.escalations.map(({ id }) => id)).toEqual(['root/cut/l#alarm']);
    });
  });

  describe('events', () => {
    it('tell of a leaf at work before it has ended, and of what it has said', async () => {
      const isSeen = Promise.withResolvers<void>();
      const scenario = scenarioOf([
        domain('d', [
          leaf('l', {
            async run({ report, task }) {
              report(said(task.path, { key: 'first' }));
              await isSeen.promise;
              return said(task.path, { key: 'second' });
            },
          }),
        ]),
      ]);
      const run = await started(open(), scenario);
      const types = () => run.events.filter(({ path }) => path === 'root/d/l').map(({ type }) => type);
      const toldAtWork = ['node.started', 'attempt.started', 'finding.reported'];
      await vi.waitFor(() => expect(types()).toEqual(toldAtWork), { timeout: 15_000, interval: 10 });
      isSeen.resolve();
      await run.done;
      expect(types()).toEqual([...toldAtWork, 'finding.reported', 'node.reported']);
    });

    it('come in an order in which nothing precedes its cause', async () => {
      const scenario = scenarioOf([0, 1, 2].map((i) => domain(`d${i}`, [leaf('l0'), leaf('l1')])));
      const done = await performed(open(), scenario);
      const order = done.events.map(({ type, path }) => `${type} ${path}`);
      const isBefore = (a: string, b: string): void => {
        expect(order.indexOf(a)).toBeGreaterThanOrEqual(0);
        expect(order.indexOf(a)).toBeLessThan(order.indexOf(b));
      };
      for (const i of [0, 1, 2]) {
        isBefore('node.planned root', `node.started root/d${i}`);
        isBefore(`node.planned root/d${i}`, `node.started root/d${i}/l0`);
        isBefore(`node.started root/d${i}/l0`, `attempt.started root/d${i}/l0`);
        isBefore(`finding.reported root/d${i}/l0`, `node.reported root/d${i}/l0`);
        isBefore(`node.reported root/d${i}/l1`, `node.reported root/d${i}`);
        isBefore(`node.reported root/d${i}`, 'node.reported root');
      }
    });
  });
}
