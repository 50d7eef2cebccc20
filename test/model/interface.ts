/**
 * Walks a part exhaustively, and reduces it to what whoever waits for it can tell apart.
 *  - Two states are one when they look alike, are alike when they are cancelled, and lead to the same: branching
 *    bisimulation, computed from the ends up, because no part goes in circles.
 *  - A step that nobody outside can see commutes with every step of others, and whatever ends the wait for a part ends it
 *    alike before and after such a step. So it is walked once, here, and not once per state of everybody else.
 */
import type { Move, Must, Part, State, Tally } from './part.ts';

type Class = State & { readonly leadsTo: ReadonlySet<Class>; cancelled: Class | undefined; moves: readonly Move[] };
export type Walked = { readonly states: number; readonly edges: number; readonly classes: number };

export function walked(part: Part, tally: Tally, must: Must): { part: Part; size: Walked; ends: readonly State[] } {
  const classes = new Map<string, Class>();
  const classOf = new Map<number, Class>();
  const onTheWay = new Set<number>();
  const ends = new Map<string, State>();
  let edges = 0;
  const visit = (state: State): Class | undefined => {
    const known = classOf.get(state.id);
    if (known) return known;
    if (onTheWay.has(state.id)) {
      must(false, () => `${part.path}: goes in circles`);
      return undefined;
    }
    if (classOf.size >= tally.limit) throw new Error(`stopped at ${tally.limit} states`);
    onTheWay.add(state.id);
    const leadsTo = new Set<Class>();
    for (const { to } of part.moves(state)) {
      edges++;
      const next = visit(to);
      if (next) leadsTo.add(next);
    }
    const { outcome, key } = state.view;
    if (outcome) ends.set(key, state);
    const whenCancelled = outcome ? state : part.cancel(state);
    const cancelled = whenCancelled === state ? undefined : visit(whenCancelled);
    onTheWay.delete(state.id);
    const found = unseen(state, leadsTo, cancelled) ?? classFor(state, leadsTo, cancelled);
    classOf.set(state.id, found);
    return found;
  };
  const classFor = ({ view }: State, leadsTo: ReadonlySet<Class>, cancelled: Class | undefined): Class => {
    const key = `${view.key}>${cancelled?.id}>${[...leadsTo]
      .map(({ id }) => id)
      .sort((a, b) => a - b)
      .join()}`;
    let one = classes.get(key);
    if (!one) {
      const moves = Array.from(leadsTo, (to): Move => ({ name: 'goes on', by: 'work', to }));
      classes.set(key, (one = { id: classes.size, view, leadsTo, cancelled, moves }));
    }
    return one;
  };
  const initial = visit(part.initial) as Class;
  return {
    part: {
      path: part.path,
      initial,
      moves: (state) => (state as Class).moves,
      cancel: (state) => (state as Class).cancelled ?? state,
    },
    size: { states: classOf.size, edges, classes: classes.size },
    ends: [...ends.values()],
  };
}

/** The class that a state can pass into unseen without giving anything up. */
function unseen({ view }: State, leadsTo: ReadonlySet<Class>, cancelled: Class | undefined): Class | undefined {
  for (const one of leadsTo) {
    if (one.view.key !== view.key || one.cancelled !== cancelled) continue;
    if ([...leadsTo].every((other) => other === one || one.leadsTo.has(other))) return one;
  }
  return undefined;
}
