/** What each child of a stage is given: its task, within what the budget grants it. */
import type { ChildSpec } from '../../protocol/decision.ts';
import type { Fault } from '../../protocol/fault.ts';
import { childPath, depthOf } from '../../protocol/path.ts';
import type { Task } from '../../protocol/task.ts';
import { childTask } from '../../tier/child-task.ts';
import { depthIsSpent, type Margins } from '../../tier/grant.ts';
import type { GatherInput } from '../../tier/orchestrator-machine.ts';
import type { Node } from './node.ts';
import { allot, isLimited } from './purse.ts';

type Planned = { readonly task: Task; readonly child: ChildSpec };
/** By the children's names. `refused`: leaves that the budget has no room for. */
export type StagePlan = {
  readonly planned: ReadonlyMap<string, Planned>;
  readonly refused: ReadonlyMap<string, Fault>;
};

/** Whom the stage may spawn: nobody where no depth is left, which is said. */
export function spawnable({ outbox }: Node, { task, children }: GatherInput, now: number): readonly ChildSpec[] {
  if (!depthIsSpent(task.grant) || children.length === 0) return children;
  const message = `a gather at ${task.path} was to spawn ${children.length} nodes with no depth left`;
  outbox.note(now, { type: 'integrity.alert', path: task.path, kind: 'depth', message });
  return [];
}

export async function planChildren(
  node: Node,
  input: GatherInput,
  children: readonly ChildSpec[],
  { now, margins }: { now: number; margins: Margins },
): Promise<StagePlan> {
  const { kit, outbox } = node;
  const { task, before: ended, later = { weight: 0, leaves: 0 } } = input;
  // Of the run's own gather the root has it all.
  const isShared = isLimited(node) && task.path !== '';
  const allotted = isShared ? await allot(node, { path: task.path, children, later }) : undefined;
  const before = new Map(ended.map(({ name, outcome }) => [name, outcome]));
  const planned = new Map<string, Planned>();
  for (const child of children) {
    const path = childPath(task.path, child.name);
    const budget = allotted?.grants[child.name] ?? task.grant.budget;
    const learned = kit.learned.get(path);
    const own = childTask(input, child, { before, now, budget, learned, margins });
    planned.set(child.name, { task: own, child });
    const { tier, question, charter, grant } = own;
    const prior = own.prior.map((report) => ({ path: report.path, digest: report.digest }));
    const started = { path, tier, depth: depthOf(path), question, charter, grant, prior };
    outbox.note(now, { type: 'node.started', ...started, ...kit.identify?.(own) });
  }
  for (const event of allotted?.events ?? []) outbox.note(now, event);
  return { planned, refused: new Map(Object.entries(allotted?.refused ?? {})) };
}
