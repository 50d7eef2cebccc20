import { EspalierError } from '../errors.ts';
import { isNodeName } from '../protocol/path.ts';
import { shown } from './check.ts';
import type { Child } from './spec.ts';

/**
 * Sorts siblings into stages: one without `needs` is in the first, any other in the stage after the last one it needs.
 * @throws EspalierError `invalid-definition` on a duplicate name, an unknown need, a need of itself, a cycle
 */
export function stagesOf(owner: string, children: readonly Child[]): Child[][] {
  const byName = new Map<string, Child>();
  for (const child of children) {
    if (byName.has(child.name)) {
      throw new EspalierError(
        'invalid-definition',
        `${owner} has two children named "${child.name}". Rename one of them.`,
      );
    }
    byName.set(child.name, child);
  }
  const stageByName = new Map<string, number>();
  const stages: Child[][] = [];
  for (const child of children) {
    if (!stageByName.has(child.name)) place(owner, child, byName, stageByName);
    (stages[stageByName.get(child.name) ?? 0] ??= []).push(child);
  }
  return stages;
}

/** Places a child after all it needs, however long the chain: what is open stands on a stack of its own. */
function place(owner: string, from: Child, byName: ReadonlyMap<string, Child>, stageByName: Map<string, number>): void {
  const stack = [{ child: from, next: 0, stage: 0 }];
  const open = new Set([from.name]);
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const { child } = top;
    const need = child.needs?.[top.next];
    if (need === undefined) {
      stageByName.set(child.name, top.stage);
      open.delete(child.name);
      stack.pop();
      continue;
    }
    const needed = byName.get(need);
    if (!needed) {
      throw new EspalierError(
        'invalid-definition',
        `${owner}: "${child.name}" needs "${need}", which is not one of its siblings (${[...byName.keys()].join(', ')}). Correct the name or add the child.`,
      );
    }
    if (open.has(need)) {
      const names = [...open];
      const cycle = [...names.slice(names.indexOf(need)), need].join(' → ');
      throw new EspalierError('invalid-definition', `${owner} has a cycle of needs: ${cycle}. Remove one of them.`);
    }
    const placed = stageByName.get(need);
    if (placed === undefined) {
      stack.push({ child: needed, next: 0, stage: 0 });
      open.add(need);
    } else {
      top.stage = Math.max(top.stage, placed + 1);
      top.next++;
    }
  }
}

/** @throws EspalierError `invalid-definition` */
export function checkName(kind: string, name: unknown): void {
  if (isNodeName(name)) return;
  throw new EspalierError(
    'invalid-definition',
    `${kind} name ${typeof name === 'string' ? JSON.stringify(name) : shown(name)} cannot be part of a path. Use 1 to 128 letters, digits, "_", ".", "-" or spaces, starting with a letter, digit or "_".`,
  );
}
