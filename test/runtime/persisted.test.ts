/** A running tree can be written down as JSON; an orchestrator continues where it stood. */
import { describe, expect, it } from 'vitest';
import { createActor, type AnyActorRef, type Snapshot } from 'xstate';
import type { Scenario } from '../../src/define/spec.ts';
import type { Report } from '../../src/protocol/report.ts';
import { createOrchestrator } from '../../src/runtime/in-process/orchestrator.ts';
import { bareHost, rootTask, type BareHost } from '../support/bare-host.ts';
import { never, tree, world } from '../support/world.ts';

/** Runs for 10 ms, is written down and read again, and runs on. */
async function interrupted(
  scenario: Scenario,
  hangs: (path: string) => boolean,
): Promise<{ report: Report; first: BareHost; second: BareHost }> {
  const input = rootTask(2);
  const first = bareHost(scenario, async (path) => (hangs(path) ? never() : undefined));
  const actor = createActor(createOrchestrator(first), { input, clock: first.clock }).start();
  await first.clock.advance(10);
  const kept = JSON.parse(JSON.stringify(actor.getPersistedSnapshot())) as Snapshot<unknown>;
  actor.stop();
  expect(first.clock.pending).toBe(0);

  const second = bareHost(scenario, async () => {});
  const again = createActor(createOrchestrator(second), { snapshot: kept, input, clock: second.clock }).start();
  await second.clock.advance(100);
  expect(second.clock.pending).toBe(0);
  return { report: again.getSnapshot().output as Report, first, second };
}

describe('an orchestrator that is restored', () => {
  it('runs what had not ended, and nothing again', async () => {
    const { report, first, second } = await interrupted(tree([1, 4]), (path) => path.endsWith('l3'));
    expect(first.attempts).toHaveLength(4);
    expect(second.attempts).toEqual(['root/d0/l3']);
    expect(report).toMatchObject({ kind: 'report', status: 'complete' });
    expect(report.findings).toHaveLength(4);
  });

  it('counts what had ended towards its quorum', async () => {
    const scenario = tree([4], { scenario: { join: { quorum: 3 } } });
    const { report, second } = await interrupted(scenario, (path) => !/l[01]$/.test(path));
    expect(second.attempts).toEqual(['root/l2', 'root/l3']);
    expect(report.children.map(({ status }) => status)).toEqual(['complete', 'complete', 'complete', 'cancelled']);
  });
});

it('every actor of a run can be written down at any moment', async () => {
  let written = 0;
  const w = world(
    [2, 2],
    {},
    {
      onEvent() {
        for (const actor of w.actors) {
          const isMade = (actor as AnyActorRef & { _snapshot?: unknown })._snapshot !== undefined;
          if (!isMade) continue;
          expect(JSON.parse(JSON.stringify(actor.getPersistedSnapshot()))).toHaveProperty('status');
          written++;
        }
      },
    },
  );
  await w.run();
  expect(written).toBeGreaterThan(100);
});
