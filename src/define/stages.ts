import { EspalierError } from '../errors.ts';
import { isNodeName } from '../protocol/path.ts';
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
  const open: string[] = [];
  const place = (child: Child): number => {
    const known = stageByName.get(child.name);
    if (known !== undefined) return known;
    if (open.includes(child.name)) {
      const cycle = [...open.slice(open.indexOf(child.name)), child.name].join(' → ');
      throw new EspalierError('invalid-definition', `${owner} has a cycle of needs: ${cycle}. Remove one of them.`);
    }
    open.push(child.name);
    let stage = 0;
    for (const need of child.needs ?? []) {
      const needed = byName.get(need);
      if (!needed) {
        throw new EspalierError(
          'invalid-definition',
          `${owner}: "${child.name}" needs "${need}", which is not one of its siblings (${[...byName.keys()].join(', ')}). Correct the name or add the child.`,
        );
      }
      stage = Math.max(stage, place(needed) + 1);
    }
    open.pop();
    stageByName.set(child.name, stage);
    return stage;
  };
  const stages: Child[][] = [];
  for (const child of children) (stages[place(child)] ??= []).push(child);
  return stages;
}

/** @throws EspalierError `invalid-definition` */
export function checkName(kind: string, name: string): void {
  if (isNodeName(name)) return;
  throw new EspalierError(
    'invalid-definition',
    `${kind} name ${JSON.stringify(name)} cannot be part of a path. Use 1 to 128 letters, digits, "_", ".", "-" or spaces, starting with a letter, digit or "_".`,
  );
}
