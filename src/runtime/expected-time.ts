/**
 * How long a whole run is expected to take: its schedule, played through with expected durations. Pure.
 *  1. Slots go as in a run: never more than `concurrency` are out, by `byLength`, equal ones in order of asking.
 *  2. Stages in order, a quorum closes one early, a synthesis follows the last.
 *  3. Nothing fails, hangs or is tried twice, and no deadline falls.
 */
import TinyQueue from 'tinyqueue';
import { byLength } from './queue-order.ts';

/** A node as far as its time goes. */
export type Work = {
  readonly name: string;
  /** ms of a leaf's work, or of an orchestrator's synthesis. */
  readonly ownMs: number;
  /** What the queue knows of a leaf's work. */
  readonly estimateMs: number | undefined;
  /** Undefined of whoever works in a slot. */
  readonly stages?: readonly (readonly Work[])[];
  readonly needs: readonly string[];
  readonly quorum?: number;
};

type Live = {
  work: Work;
  parent: Live | undefined;
  stage: number;
  /** The children of the present stage that have not ended, and how many have. */
  children: Set<Live>;
  ended: number;
  slot: 'none' | 'waiting' | 'held';
  isOver: boolean;
};
type Step = { at: number; order: number; live: Live; take: () => void };

/** @returns ms from the start of the run to its end */
export function expectedTime(root: Work, concurrency: number): number {
  let [now, order, free] = [0, 0, concurrency];
  const steps = new TinyQueue<Step>([], (a, b) => a.at - b.at || a.order - b.order);
  const waiting = new TinyQueue<{ live: Live; order: number }>(
    [],
    (a, b) => byLength(a.live.work, b.live.work) || a.order - b.order,
  );
  const after = (ms: number, live: Live, take: () => void): void =>
    steps.push({ at: now + ms, order: order++, live, take });

  const begin = (work: Work, parent?: Live): Live => {
    const live: Live = { work, parent, stage: -1, children: new Set(), ended: 0, slot: 'none', isOver: false };
    if (work.stages) after(0, live, () => openNextStage(live)); // when its plan is there
    else {
      live.slot = 'waiting';
      waiting.push({ live, order: order++ });
    }
    return live;
  };
  const openNextStage = (live: Live): void => {
    const { stages = [], ownMs } = live.work;
    const next = stages[++live.stage];
    if (!next) return after(ownMs, live, () => end(live));
    live.ended = 0;
    live.children = new Set(next.map((work) => begin(work, live)));
    if (next.length === 0) openNextStage(live);
  };
  const end = (live: Live): void => {
    cutOff(live);
    const { parent } = live;
    if (!parent) return;
    parent.ended++;
    parent.children.delete(live);
    if (parent.children.size > 0 && !isEnough(parent)) return;
    for (const child of parent.children) cutOff(child);
    openNextStage(parent);
  };
  const cutOff = (live: Live): void => {
    if (live.slot === 'held') free++;
    live.slot = 'none';
    live.isOver = true;
    for (const child of live.children) cutOff(child);
  };
  const grant = (): void => {
    while (free > 0) {
      const next = waiting.pop()?.live;
      if (!next) return;
      if (next.isOver) continue;
      free--;
      next.slot = 'held';
      after(next.work.ownMs, next, () => end(next));
    }
  };

  const whole = begin(root);
  for (let next: Step | undefined; !whole.isOver;) {
    // Whoever asks within one turn is in the queue before the first is chosen; what follows from it is the next turn.
    grant();
    next = steps.peek();
    if (!next) break;
    now = next.at;
    const turn = order;
    for (; next && next.at === now && next.order < turn; next = steps.peek()) {
      steps.pop();
      if (!next.live.isOver) next.take();
    }
  }
  return now;
}

/** A quorum closes no stage over children that a later one needs. */
function isEnough({ work, stage, children, ended }: Live): boolean {
  const { stages = [], quorum } = work;
  if (quorum === undefined || ended < quorum) return false;
  const needed = new Set(stages.slice(stage + 1).flatMap((later) => later.flatMap(({ needs }) => needs)));
  return [...children].every((child) => !needed.has(child.work.name));
}
