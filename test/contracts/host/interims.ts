/** What a run says before it has ended. */
import { describe, expect, it } from 'vitest';
import type { Report } from '../../../src/protocol/report.ts';
import { ALARM, domain, leaf, never, pause, performed, said, scenarioOf, started, type OpenHost } from './bench.ts';

const slow = (ms: number, stance: number) =>
  leaf(`after-${ms}`, {
    async run({ task }) {
      await pause(ms);
      return said(task.path, { stance, ...(stance < 0 && ALARM) });
    },
  });
const tree = () =>
  scenarioOf([domain('d0', [slow(10, 0.9), slow(900, -0.5)]), domain('d1', [slow(500, 0.4), slow(1_300, 0.2)])], {
    synthesis: { debounce: 20 },
  });

export function interims(open: OpenHost): void {
  describe('where a synthesis is incremental', () => {
    it('interim reports come while children run, and their coverage never falls', async () => {
      const run = await started(open(), tree(), { synthesis: { debounce: 20 } });
      let before: Report | undefined;
      await expect.poll(() => (before = run.handle.interim()), { timeout: 10_000, interval: 10 }).toBeDefined();
      expect(before).toMatchObject({ path: 'root', tier: 'root', status: 'partial' });
      expect(before?.gaps.some(({ kind }) => kind === 'pending')).toBe(true);
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
      await expect.poll(() => run.handle.interim(), { timeout: 10_000, interval: 10 }).toBeDefined();
      run.handle.cancel();
      const { brief } = await run.done;
      expect(brief.findings).toHaveLength(1);
    });
  });
}
