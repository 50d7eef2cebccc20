/** Stored runs as their renderers get them, made by running one on virtual time. */
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import type { Report } from '../../src/protocol/report.ts';
import type { RunView } from '../../src/render/run-view.ts';
import { reviewOf } from '../../src/runtime/record/review.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { CRITICAL, draft, reportOf, world, type WorldOptions } from '../support/world.ts';

/** A root over three domains of two leaves; the synthesis of `root/d2` takes 40 s. */
export async function ranSlowly(
  options: WorldOptions = {},
  over: Partial<RunView> = {},
): Promise<{ view: RunView; domain: Report }> {
  const store = memoryStore();
  const clock = new VirtualClock(Date.UTC(2026, 10, 20, 10));
  const w = world(
    [3, 2],
    (own) => ({
      attempt: async ({ task }) => {
        await clock.sleep(task.path.startsWith('root/d0') ? 3_000 : 1_000);
        return draft(task.path, task.path === 'root/d2/l0' ? CRITICAL : {});
      },
      synthesize: async (input, io) => {
        await clock.sleep(input.task.path === 'root/d2' ? 40_000 : 0);
        return own.synthesize(input, io);
      },
    }),
    { ...options, store, clock },
  );
  await w.run();
  const run = store.run('run');
  if (!run) throw new Error('the run was not stored');
  const nodes = [...store.nodes('run')];
  const view: RunView = {
    runId: 'run',
    scenario: 'tree',
    thesis: run.thesis,
    state: run.state,
    startedAt: run.startedAt,
    tookMs: 41_000,
    deadlineMs: run.options.deadlineMs,
    maxDepth: run.options.maxDepth,
    concurrency: run.options.concurrency,
    said: { findings: 6, criticals: 1, gaps: 0 },
    ...(run.endedAt !== undefined && { endedAt: run.endedAt }),
    review: reviewOf(nodes),
    nodes: nodes.map(({ path, depth, state, startedAt: from, endedAt: to = from }) => ({
      path,
      depth,
      state,
      from,
      to,
    })),
    ...over,
  };
  return { view, domain: reportOf(w.endOf('root/d2')) };
}
