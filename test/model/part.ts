/**
 * What a walk is put together from: a leaf, an orchestrator with its subtree, a run. Each is a graph of states without
 * a cycle, and whoever waits for it sees of a state no more than its view.
 */
import type { Finding } from '../../src/protocol/finding.ts';
import { isHole } from '../../src/protocol/gap.ts';
import type { UnsealedOutcome } from '../../src/protocol/report.ts';
import { bodyOf } from '../../src/tier/synthesis-check.ts';

export type View = {
  /** The critical findings that those above have heard of it, live or with its end. */
  readonly heard: readonly Finding[];
  readonly outcome: UnsealedOutcome | undefined;
  /** Equal for views that no parent tells apart. */
  readonly key: string;
};
export type State = { readonly id: number; readonly view: View };
/** `work` happens if all work ends sometime; `timer`, `cancel` and `fault` may never come. */
export type Move = { readonly name: string; readonly by: 'work' | 'timer' | 'cancel' | 'fault'; readonly to: State };
export type Part = {
  /** Where it was made; a sibling that it stands for too is told under its own path. */
  readonly path: string;
  readonly initial: State;
  moves(state: State): readonly Move[];
  /** What becomes of it when it is told to cancel: itself, when it has been told before. */
  cancel(state: State): State;
};

export type Tally = { checks: number; problems: string[]; limit: number };
export type Must = (isSo: boolean, what: () => string) => void;
export const openTally = (limit: number): Tally => ({ checks: 0, problems: [], limit });
export const mustOf =
  (tally: Tally): Must =>
  (isSo, what) => {
    tally.checks++;
    if (!isSo && tally.problems.length < 20) tally.problems.push(what());
  };

/** All of an outcome that a parent's further course depends on; with `isCounted`, whoever of its subtree said it. */
export function summaryOf(outcome: UnsealedOutcome, isCounted: boolean): string {
  const body = bodyOf(outcome as never);
  const idsOf = (findings: readonly Finding[] = []): string =>
    isCounted ? `${findings.length}` : findings.map(({ id }) => id.slice(outcome.path.length)).join();
  const status = outcome.kind === 'report' ? outcome.status : '';
  const holes = body?.gaps.some(isHole) ? 'hole' : '';
  return `${outcome.kind}${status} ${idsOf(body?.findings)} ${idsOf(body?.escalations)} ${holes}`;
}

export function viewOf(
  path: string,
  heard: readonly Finding[],
  outcome: UnsealedOutcome | undefined,
  isCounted: boolean,
): View {
  const said = isCounted
    ? `${heard.length}`
    : heard
        .map(({ id }) => id.slice(path.length))
        .sort()
        .join();
  return { heard, outcome, key: `${said}|${outcome ? summaryOf(outcome, isCounted) : ''}` };
}

/** A view under the path of the sibling that the part stands for. */
export function viewAt({ path }: Part, { view }: State, to: string): View {
  if (path === to) return view;
  const known = renamed.get(view) ?? new Map<string, View>();
  renamed.set(view, known);
  let there = known.get(to);
  if (!there) {
    const { heard, outcome } = JSON.parse(JSON.stringify(view).replaceAll(path, to)) as View;
    known.set(to, (there = { heard, outcome, key: view.key }));
  }
  return there;
}
const renamed = new WeakMap<View, Map<string, View>>();

/** One state per key, numbered. */
export function interning<S extends State>(tally: Tally): (key: string, make: (id: number) => S) => S {
  const known = new Map<string, S>();
  return (key, make) => {
    let state = known.get(key);
    if (!state) {
      if (known.size >= tally.limit) throw new Error(`stopped at ${tally.limit} states`);
      known.set(key, (state = make(known.size)));
    }
    return state;
  };
}
