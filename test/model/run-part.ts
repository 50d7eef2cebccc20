/** A run: a join over the root, which holds it to its deadline and knows what it said, should it die. */
import type { Finding } from '../../src/protocol/finding.ts';
import { isHole } from '../../src/protocol/gap.ts';
import { ROOT } from '../../src/protocol/path.ts';
import { UnsealedOutcome, type UnsealedReport } from '../../src/protocol/report.ts';
import type { Task } from '../../src/protocol/task.ts';
import { cloneJoin, type JoinEvent } from '../../src/tier/join.ts';
import type { Core } from './core.ts';
import type { Must, Part, State } from './part.ts';

/** Every way a run can end, over all states of the root: labelled, with how often. Checks each of them. */
export function runEnds(core: Core, task: Task, root: Part, must: Must): Record<string, number> {
  const ways: Record<string, number> = {};
  const end = (name: string, { view }: State, event: JoinEvent): void => {
    const [open] = core.openJoin({
      runId: task.runId,
      path: '',
      children: [{ name: ROOT, tier: 'root' }],
      startedAt: 0,
      heard: () => view.heard,
    });
    const join = cloneJoin(open);
    const effects = core.joinStep(join, event);
    const ended = effects.flatMap((effect) => (effect.type === 'close' ? effect.joined.ended : []));
    must(ended.length === 1, () => `the run did not end when its root ${name}`);
    const outcome = ended[0]?.outcome;
    if (!outcome) return;
    must(
      (event.type === 'ended' || event.type === 'crashed') !== effects.some(({ type }) => type === 'stop'),
      () => `the root: an orphan when it ${name}`,
    );
    const { digest: _, ...unsealed } = outcome;
    const report = outcome.kind === 'report' ? outcome : core.rootReport(task, unsealed as UnsealedOutcome);
    checkReport(report as UnsealedReport, view.heard, must);
    const label = `${report.kind === 'report' ? report.status : 'a token'}, the root ${name}`;
    ways[label] = (ways[label] ?? 0) + 1;
  };
  const seen = new Set<State>();
  const visit = (state: State): void => {
    if (seen.has(state)) return;
    seen.add(state);
    const { outcome } = state.view;
    if (outcome) end('reported', state, { type: 'ended', name: ROOT, output: outcome, at: 1 });
    else {
      end('crashed', state, { type: 'crashed', name: ROOT, error: new Error('it broke'), at: 1 });
      end('was late', state, { type: 'expired', at: 1 });
      end('was cut off', state, { type: 'cancelled', at: 1 });
    }
    for (const { to } of root.moves(state)) visit(to);
  };
  visit(root.initial);
  return ways;
}

/** orchestrator-machine 5; every critical that was heard, once and unchanged. */
function checkReport(report: UnsealedReport, heard: readonly Finding[], must: Must): void {
  const { success, error } = UnsealedOutcome.safeParse(report);
  must(success, () => `the run ended with ${error?.message}`);
  must(report.kind === 'report', () => 'the run ended in a token');
  const bytesOf = (all: readonly Finding[]): string =>
    all
      .map((one) => JSON.stringify(one))
      .sort()
      .join();
  const isWhole = bytesOf(report.escalations) === bytesOf(heard);
  must(isWhole, () => `a critical was lost: the run escalated ${report.escalations.length} of ${heard.length}`);
  const { status, findings, gaps } = report;
  const due = findings.length === 0 ? 'failed' : gaps.some(isHole) ? 'partial' : 'complete';
  must(status === due, () => `${status} with ${findings.length} findings and ${JSON.stringify(gaps)}`);
}
