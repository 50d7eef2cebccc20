import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, seal } from '../../src/protocol/digest.ts';
import { eventText } from '../../src/protocol/event-text.ts';
import type { Outcome } from '../../src/protocol/report.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { CRITICAL, draft, world } from '../support/world.ts';
import { reports } from './arbitraries.ts';

const reported = (outcome: Outcome): RunEvent => {
  if (outcome.kind !== 'report') return expect.unreachable();
  const stamp = { v: 1 as const, runId: outcome.runId, seq: 3, at: 1.5 };
  return { ...stamp, type: 'node.reported', path: outcome.path, tier: outcome.tier, report: outcome };
};
const timing = { startedAt: 1, endedAt: 2.25 };

describe('an event is written down as JSON.stringify writes it', () => {
  it('whichever report it holds, sealed just now or before another', () => {
    fc.assert(
      fc.property(reports, reports, (one, other) => {
        const earlier = seal(one, timing);
        const latest = seal(other, timing);
        for (const event of [reported(latest), reported(earlier)]) {
          expect(eventText(event)).toBe(JSON.stringify(event));
        }
        expect([earlier, latest].map(digestOf)).toEqual([earlier.digest, latest.digest]);
      }),
      { numRuns: 200 },
    );
  });

  it.each(['"schemaVersion":1,', '","runId":"run","schemaVersion":1', '\ud83d'])(
    'also of a report that says %j',
    (odd) => {
      const [plain] = fc.sample(reports, { numRuns: 1, seed: 1 });
      if (!plain) return expect.unreachable();
      const report = seal({ ...plain, question: odd, narrative: odd, path: `root/${odd}` }, timing);
      expect(eventText(reported(report))).toBe(JSON.stringify(reported(report)));
      expect(digestOf(report)).toBe(report.digest);
    },
  );

  it('each event of a run, as it happens', async () => {
    const said: boolean[] = [];
    const onEvent = (event: RunEvent): void => void said.push(eventText(event) === JSON.stringify(event));
    await world([2, 3], { attempt: async ({ task }) => draft(task.path, CRITICAL) }, { onEvent }).run();
    expect(said.length).toBeGreaterThan(20);
    expect(said).not.toContain(false);
  });
});
