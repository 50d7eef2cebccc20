import { expect, it } from 'vitest';
import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import type { Finding } from '../../../src/protocol/finding.ts';
import type { RunEvent, RunEventBody } from '../../../src/protocol/run-event.ts';
import { createRecorder } from '../../../src/runtime/record/recorder.ts';
import { newRun } from '../../contracts/store-samples.ts';
import { CRITICAL, world } from '../../support/world.ts';

it.each(['finding.reported', 'child.late'] as const)('stores a critical finding at once, in %s', async (type) => {
  const { brief } = await world([1]).run();
  const [plain] = brief.findings as [Finding];
  const alarm: Finding = { ...plain, ...CRITICAL };
  const store = memoryStore();
  const writer = store.begin(newRun('run'));
  const recorder = createRecorder({
    scenario: 'tree',
    writer,
    onFailure: (error) => expect.unreachable(String(error)),
  });
  let seq = 0;
  const say = (body: RunEventBody): number => {
    recorder.record({ v: 1, runId: 'run', seq: seq++, at: 0, ...body } as RunEvent);
    return [...store.events('run')].length;
  };
  const { path } = plain;
  expect(say({ type: 'finding.reported', path, finding: plain })).toBe(0); // it may wait for company
  const stored = say(
    type === 'finding.reported'
      ? { type, path, finding: alarm }
      : { type, path: 'root', child: 'l0', why: 'late', findings: [alarm] },
  );
  recorder.close();
  expect(stored).toBe(2);
});
