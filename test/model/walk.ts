/** Walks every interleaving of a tree by the pure functions alone: no actors, no time. */
import { ROOT } from '../../src/protocol/path.ts';
import type { Task } from '../../src/protocol/task.ts';
import { grantOf, taskOf } from '../tier/samples.ts';
import { decisionAt, type Bounds } from './bounds.ts';
import { core as sound, type Core } from './core.ts';
import { walked, type Walked } from './interface.ts';
import { leafPart } from './leaf-part.ts';
import { mustOf, openTally, type Part } from './part.ts';
import { runEnds } from './run-part.ts';
import { tierPart } from './tier-part.ts';

export type Walk = {
  /** What was walked, by depth: `leaf`, `tier 1`, `root`. */
  readonly parts: Record<string, Walked>;
  readonly states: number;
  readonly edges: number;
  /** How a run can end, and in how many of the root's states. */
  readonly ways: Record<string, number>;
  /** The views of the root at its end. */
  readonly ends: readonly string[];
  readonly checks: number;
  readonly problems: readonly string[];
};

export function walk(bounds: Bounds, core: Core = sound, limit = 2_000_000): Walk {
  const { tiers, reduced = 'all', symmetric = true, maxDepth = tiers.length } = bounds;
  const tally = openTally(limit);
  const must = mustOf(tally);
  const parts: Record<string, Walked> = {};
  const made = new Map<string, Part>();
  /** One part stands for all siblings: they differ in their names alone. */
  const once = (what: string, isReduced: boolean, make: () => Part): Part => {
    let part = made.get(what);
    if (part) return part;
    const whole = remembered(make());
    const { part: facade, size } = walked(whole, tally, must);
    parts[what] = size;
    part = isReduced ? facade : whole;
    made.set(what, part);
    return part;
  };
  const leafOf = (task: Task): Part =>
    once(task.tier === 'leaf' ? 'leaf' : `${task.path} executing`, reduced !== 'nothing', () =>
      leafPart(
        core,
        task,
        { attempts: bounds.attempts ?? 2, isPlain: bounds.plain ?? false, hedges: bounds.hedges ?? false },
        symmetric,
        tally,
        must,
      ),
    );
  const tierAt = (task: Task, level: number): Part =>
    tierPart(
      core,
      task,
      {
        decision: decisionAt(bounds, level),
        isSymmetric: symmetric,
        maxDepth,
        hostFaults: bounds.hostFaults ?? false,
        child: (spec, below) =>
          spec.role === 'leaf'
            ? leafOf(below)
            : once(`tier ${level + 1}`, reduced === 'all', () => tierAt(below, level + 1)),
        execute: leafOf,
      },
      tally,
      must,
    );
  const task = taskOf(ROOT, { grant: grantOf({ depthLeft: maxDepth }), tier: 'root' });
  let ways: Record<string, number> = {};
  let ends: string[] = [];
  try {
    const root = walked(tierAt(task, 0), tally, must);
    parts['root'] = root.size;
    ends = root.ends.map(({ view }) => view.key).sort();
    ways = runEnds(core, task, root.part, must);
  } catch (error) {
    must(false, () => String(error));
  }
  const sizes = Object.values(parts);
  return {
    parts,
    states: sizes.reduce((sum, { states }) => sum + states, 0),
    edges: sizes.reduce((sum, { edges }) => sum + edges, 0),
    ways,
    ends,
    checks: tally.checks,
    problems: tally.problems,
  };
}

/** Its steps, once made, are not made again: the same state of a child is come by often. */
function remembered(part: Part): Part {
  const moves = new Map<number, ReturnType<Part['moves']>>();
  return {
    ...part,
    moves(state) {
      let known = moves.get(state.id);
      if (!known) moves.set(state.id, (known = part.moves(state)));
      return known;
    },
  };
}
