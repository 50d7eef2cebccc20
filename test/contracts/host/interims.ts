/** What a run says before it has ended. */
import { describe, expect, it, vi } from 'vitest';
import { ALARM, domain, leaf, never, pause, performed, said, scenarioOf, started, type OpenHost } from './bench.ts';

const tree = (isHeard = Promise.resolve()) => {
  const slow = (ms: number, stance: number, after = Promise.resolve()) =>
    leaf(`after-${ms}`, {
      async run({ task }) {
        await Promise.all([pause(ms), after]);
        return said(task.path, { stance, ...(stance < 0 && ALARM) });
      },
    });
  return scenarioOf(
    [
      domain('d0', [slow(10, 0.9), slow(900, -0.5, isHeard)]),
      domain('d1', [slow(500, 0.4), slow(1_300, 0.2, isHeard)]),
    ],
    { synthesis: { debounce: 20 } },
  );
};

export function interims(open: OpenHost): void {
  describe('where a synthesis is incremental', () => {
    it('interim reports come while children run, and their coverage never falls', async () => {
      const isHeard = Promise.withResolvers<void>();
      const heardFrom = new Set<string>();
      const run = await started(open(), tree(isHeard.promise), {
        synthesis: { debounce: 20 },
        onEvent({ type, path }) {
          if (type === 'synthesis.interim' && heardFrom.add(path).size === 3) isHeard.resolve();
        },
      });
      const before = await vi.waitUntil(() => run.handle.interim(), { timeout: 10_000, interval: 10 });
      expect(before).toMatchObject({ path: 'root', tier: 'root', status: 'partial' });
      expect(before.gaps.some(({ kind }) => kind === 'pending')).toBe(true);
      const done = await run.done;
      const made = done.eventsOf('synthesis.interim');
      expect(new Set(made.map(({ path }) => path))).toEqual(new Set(['root', 'root/d0', 'root/d1']));
      for (const path of new Set(made.map((event) => event.path))) {
        const coverage = made.flatMap((event) => (event.path === path ? event.assessment.coverage : []));
        expect(coverage).toEqual(coverage.toSorted((a, b) => a - b));
      }
      expect(done.status).toBe('complete');
      expect(done.brief.gaps).toEqual([]);
    });

    it('they change nothing about the brief', async () => {
      const scenario = tree();
      const { brief } = await performed(open(), scenario, { synthesis: 'final' });
      const { brief: other, eventsOf } = await performed(open(), tree(), { synthesis: 'incremental' });
      expect(eventsOf('synthesis.interim').length).toBeGreaterThan(0);
      expect(other.narrative).toBe(brief.narrative);
      expect(other.assessment).toEqual(brief.assessment);
    });

    it('a run whose syntheses are final makes none', async () => {
      const done = await performed(open(), scenarioOf([domain('d', [leaf('l')])]));
      expect(done.eventsOf('synthesis.interim')).toEqual([]);
    });

    it('one that is cancelled ends with what it had', async () => {
      const scenario = scenarioOf([domain('d', [leaf('l'), leaf('hangs', { run: never })])]);
      const run = await started(open(), scenario, { synthesis: 'incremental' });
      await vi.waitUntil(() => run.handle.interim(), { timeout: 10_000, interval: 10 });
      run.handle.cancel();
      const { brief } = await run.done;
      expect(brief.findings).toHaveLength(1);
    });
  });
}
