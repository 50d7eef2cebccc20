/** What a gather gives a child. Pure. */
import type { ChildSpec } from '../protocol/decision.ts';
import { NONE } from '../protocol/freeze.ts';
import type { Budget } from '../protocol/grant.ts';
import { childPath } from '../protocol/path.ts';
import type { Outcome, Tier } from '../protocol/report.ts';
import type { Task } from '../protocol/task.ts';
import { childGrant, type Margins } from './grant.ts';
import type { GatherInput } from './orchestrator-machine.ts';

export type Known = {
  /** How the children of earlier stages ended. */
  before: ReadonlyMap<string, Outcome>;
  now: number;
  budget: Budget;
  /** What helped this node in earlier runs. */
  learned?: string[] | undefined;
  /** Default: those of one process. */
  margins?: Margins;
};

export function childTask(
  { task, deadline }: Pick<GatherInput, 'task' | 'deadline'>,
  child: ChildSpec,
  { before, now, budget, learned, margins }: Known,
): Task {
  const prior = child.needs?.flatMap((name) => {
    const outcome = before.get(name);
    return outcome?.kind === 'report' ? [outcome] : [];
  });
  return {
    runId: task.runId,
    path: childPath(task.path, child.name),
    tier: tierOf(task, child),
    question: child.question ?? task.question,
    charter: child.charter ?? task.charter,
    ...(task.asOf !== undefined && { asOf: task.asOf }),
    grant: childGrant(task.grant, child, deadline, now, budget, margins),
    prior: prior ?? NONE,
    enrichments: learned ?? NONE,
    ...(task.traceparent !== undefined && { traceparent: task.traceparent }),
  };
}

export const tierOf = (parent: Pick<Task, 'path'>, { role }: Pick<ChildSpec, 'role'>): Tier =>
  parent.path === '' ? 'root' : role === 'leaf' ? 'leaf' : 'domain';
