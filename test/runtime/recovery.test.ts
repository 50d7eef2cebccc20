/** What an attempt is told of the failure before it, what is not tried again, and what a later run is told at once. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { LeafRun, LeafSpec, Scenario } from '../../src/define/spec.ts';
import { EspalierError } from '../../src/errors.ts';
import { draft, world } from '../support/world.ts';

const only = (run: LeafRun, over: Partial<LeafSpec> = {}): Scenario =>
  defineScenario({ name: 'one', thesis: 'It holds', domains: [defineLeaf({ name: 'a', run, ...over })] });
const failsOnce =
  (fields: object, seen: string[] = []): LeafRun =>
  ({ task, attempt }) => {
    seen.push(...task.enrichments);
    if (attempt === 1) throw Object.assign(new Error('it went wrong'), fields);
    return draft(task.path);
  };

describe('the next attempt is told', () => {
  it.each([
    ['off-track', 'It answered another question.'],
    ['out-of-context', 'It took in too much at once.'],
    ['missing-knowledge', 'It lacked something.'],
  ])('what a failure of kind %s asks for', async (diagnosis, advice) => {
    const seen: string[] = [];
    await world(only(failsOnce({ diagnosis }, seen))).run();
    expect(seen).toEqual([expect.stringContaining(`The last attempt failed (error): it went wrong\n${advice}`)]);
  });

  it('that its answer had the wrong shape, or did not pass its check', async () => {
    const seen: string[] = [];
    const run: LeafRun = ({ task, attempt }) => {
      seen.splice(0, seen.length, ...task.enrichments);
      return attempt === 1 ? ({ stance: 3 } as never) : draft(task.path, { value: attempt });
    };
    const verify: LeafSpec['verify'] = ([finding]) =>
      finding?.value === 3 ? { ok: true } : { ok: false, why: 'not 3' };
    const { status } = await world(only(run, { verify })).run();
    expect(status).toBe('complete');
    expect(seen).toEqual([
      expect.stringContaining('had the wrong shape'),
      expect.stringMatching(/not verified: not 3\nIts answer did not pass the check/),
    ]);
  });

  it('by its author, when he says how', async () => {
    const seen: string[] = [];
    await world(only(failsOnce({ diagnosis: 'off-track' }, seen), { recover: () => 'look left' })).run();
    expect(seen).toEqual(['look left']);
  });
});

describe('what would fail the same way', () => {
  it.each(['undeclared-source', 'unknown-source', 'invalid-data', 'unknown-artifact'] as const)(
    'is not tried again: %s',
    async (code) => {
      const w = world(
        only(() => {
          throw new EspalierError(code, 'It is so.');
        }),
      );
      await w.run();
      expect(w.eventsOf('attempt.started')).toHaveLength(1);
      expect(w.endOf('root/a')).toMatchObject({ attempts: 1, needsHuman: true });
    },
  );
});

describe('a node whose attempts are used up', () => {
  it('needs a human, and says why it failed', async () => {
    const always: LeafRun = () => {
      throw Object.assign(new Error('no'), { diagnosis: 'missing-knowledge' });
    };
    const w = world(only(always));
    const { brief } = await w.run();
    expect(w.endOf('root/a')).toMatchObject({ attempts: 3, needsHuman: true, diagnosis: 'missing-knowledge' });
    expect(brief.gaps).toEqual([
      { kind: 'token', needsHuman: true, path: 'root/a', status: 'error', why: 'error: no' },
    ]);
  });
  it('that was cut off by time does not', async () => {
    const w = world(only(() => new Promise(() => {})));
    const { brief } = await w.run();
    expect(w.endOf('root/a')).not.toHaveProperty('needsHuman');
    expect(brief.gaps[0]).not.toHaveProperty('needsHuman');
  });
});

describe('what helped', () => {
  it('is told at once in the next run of the same store', async () => {
    const store = memoryStore();
    await world(only(failsOnce({ diagnosis: 'off-track' })), {}, { store }).run();
    const seen: string[] = [];
    const run: LeafRun = ({ task }) => {
      seen.push(...task.enrichments);
      return draft(task.path);
    };
    await world(only(run), {}, { store, runId: 'second' }).run();
    expect(seen).toEqual([expect.stringContaining('It answered another question.')]);
  });
  it('is nothing when the attempt that was told it failed, too', async () => {
    const store = memoryStore();
    const never: LeafRun = () => {
      throw new Error('never');
    };
    await world(only(never), {}, { store }).run();
    expect([...store.enrichments('one', 'root/a')]).toEqual([]);
  });
});
