/** How runs end before their time: cancelled, stopped, due. */
import { describe, expect, it, vi } from 'vitest';
import { EspalierError } from '../../../src/errors.ts';
import {
  ALARM,
  domain,
  expectSound,
  leaf,
  never,
  pathsIn,
  performed,
  said,
  scenarioOf,
  started,
  type OpenHost,
  type Running,
} from './bench.ts';

/** One leaf of each domain has said what it has to say, the other never will. */
const halfDone = () =>
  scenarioOf(
    [0, 1].map((i) =>
      domain(`d${i}`, [
        leaf('done', { run: ({ task }) => said(task.path, i === 0 ? ALARM : {}) }),
        leaf('hangs', {
          run({ report, task }) {
            report(said(task.path, { key: 'meanwhile', statement: 'so far' }));
            return never();
          },
        }),
      ]),
    ),
  );
/** Until it says so, and then a little: what was said has arrived. */
async function until({ events }: Running, isReached: (events: Running['events']) => boolean): Promise<void> {
  await vi.waitUntil(() => isReached(events), { timeout: 10_000, interval: 10 });
}
const bothSaid = (events: Running['events']): boolean =>
  events.filter(({ type }) => type === 'finding.reported').length === 4;

const inShort = (end: ReturnType<Running['endOf']>): string =>
  end?.kind === 'failure' ? `${end.status} ${end.attempts}` : 'reported';

export function endings(open: OpenHost): void {
  describe('cancelling', () => {
    it('delivers what there is: the brief is partial, and says what was cut off', async () => {
      const run = await started(open(), halfDone());
      await until(run, bothSaid);
      run.handle.cancel();
      const done = await run.done;
      expectSound(done);
      expect(done.status).toBe('partial');
      expect(done.escalations.map(({ path }) => path)).toEqual(['root/d0/done']);
      expect(pathsIn(done).filter((path) => path.endsWith('done'))).toEqual(['root/d0/done', 'root/d1/done']);
      expect(done.endOf('root/d0/hangs')).toMatchObject({
        kind: 'failure',
        status: 'cancelled',
        partial: { findings: [{ statement: 'so far' }] },
      });
      expect(done.gaps.map(({ path, status }) => [path, status])).toContainEqual(['root/d0/hangs', 'cancelled']);
    });

    it('by a signal does the same', async () => {
      const controller = new AbortController();
      const run = await started(open(), halfDone(), { signal: controller.signal });
      await until(run, bothSaid);
      controller.abort();
      expect((await run.done).status).toBe('partial');
    });

    it('before anything has begun ends the run all the same', async () => {
      const scenario = scenarioOf([domain('d', [leaf('l', { run: never })])], { limits: { deadline: '20s' } });
      const run = await started(open(), scenario);
      run.handle.cancel();
      const done = await run.done;
      expect(done.gaps.every(({ status }) => status === 'cancelled')).toBe(true);
      expect(done.events.filter(({ type }) => type === 'join.expired')).toEqual([]);
    });

    it('while leaves wait for a slot says that they never began', async () => {
      const scenario = scenarioOf(
        [
          domain(
            'd',
            ['a', 'b', 'c'].map((name) => leaf(name, { run: never })),
          ),
        ],
        {
          limits: { concurrency: 1 },
        },
      );
      const run = await started(open(), scenario);
      await until(run, (events) => events.some(({ type }) => type === 'attempt.started'));
      run.handle.cancel();
      const done = await run.done;
      const ends = ['a', 'b', 'c'].map((name) => done.endOf(`root/d/${name}`));
      expect(ends.map(inShort).toSorted()).toEqual(['cancelled 0', 'cancelled 0', 'cancelled 1']);
    });
  });

  describe('stopping', () => {
    it('delivers nothing, and says so', async () => {
      const run = await started(open(), halfDone());
      await until(run, bothSaid);
      run.handle.stop();
      await expect(run.done).rejects.toSatisfy(
        (error) =>
          EspalierError.isInstance(error) && error.code === 'stopped' && error.message.includes(run.handle.runId),
      );
      expect(run.events.some(({ type }) => type === 'run.completed')).toBe(false);
    });
  });

  describe.concurrent('a deadline', () => {
    it('closes whoever hangs with what it had said, and its parent in time', async () => {
      const done = await performed(open(), halfDone(), { deadline: 8_000 });
      expect(done.status).toBe('partial');
      expect(done.endOf('root/d1/hangs')).toMatchObject({
        kind: 'failure',
        status: 'timeout',
        attempts: 1,
        partial: { findings: [{ statement: 'so far' }] },
      });
      expect(pathsIn(done)).toEqual(['root/d0/done', 'root/d0/hangs', 'root/d1/done', 'root/d1/hangs']);
      expect(done.endOf('root/d0')).toMatchObject({ kind: 'report', status: 'partial' });
    });

    it('finds leaves that still wait for a slot', async () => {
      // They are expected to take long: no lease takes a slot from one of them before.
      const long = { run: never, estimate: '1m' };
      const scenario = scenarioOf([domain('d', [leaf('a', long), leaf('b', long)])], {
        limits: { concurrency: 1, deadline: '8s' },
      });
      const done = await performed(open(), scenario);
      const ends = ['a', 'b'].map((name) => done.endOf(`root/d/${name}`));
      expect(ends.map(inShort).toSorted()).toEqual(['timeout 0', 'timeout 1']);
    });

    it('cannot be kept from the next stage by one that hangs', async () => {
      const scenario = scenarioOf(
        [
          domain('d', [
            leaf('hangs', { run: never }),
            leaf('next', {
              needs: ['hangs'],
              run: ({ task, prior }) => said(task.path, { statement: prior('hangs') ? 'it ended' : 'without it' }),
            }),
          ]),
        ],
        { limits: { deadline: '12s' } },
      );
      const done = await performed(open(), scenario);
      expect(done.brief.findings.map(({ path, statement }) => [path, statement])).toEqual([
        ['root/d/next', 'without it'],
      ]);
      expect(done.endOf('root/d/hangs')).toMatchObject({ status: 'timeout' });
    });
  });
}
