/** A leaf, driven by its reducer: every answer of its author, in every phase, at every attempt. */
import type { Finding } from '../../src/protocol/finding.ts';
import type { UnsealedOutcome } from '../../src/protocol/report.ts';
import type { Task } from '../../src/protocol/task.ts';
import { CANCELLED } from '../../src/tier/fault.ts';
import { cloneLeaf, type LeafEffect, type LeafEvent, type LeafState } from '../../src/tier/leaf-logic.ts';
import { bodyOf } from '../../src/tier/synthesis-check.ts';
import { CRITICAL } from '../tier/samples.ts';
import type { Core } from './core.ts';
import { interning, viewOf, type Move, type Must, type Part, type State, type Tally } from './part.ts';

export type LeafBounds = {
  readonly attempts: number;
  /** May end with a finding that is not critical. */
  readonly isPlain: boolean;
  /** An attempt may be executed a second time beside itself. */
  readonly hedges: boolean;
};
type LeafNode = State & { readonly leaf: LeafState; readonly ends: number };

const critical = { key: 'said', statement: 'It rings', stance: -1, ...CRITICAL };
const plain = { key: 'plain', statement: 'It is so', stance: 0.5 };
const RUBBISH = { rubbish: true };
const error = { status: 'error', message: 'it broke' } as const;
const closed: LeafEvent = { type: 'closed', fault: { status: 'timeout', message: 'the hand-off' } };
const cancelled: LeafEvent = { type: 'closed', fault: CANCELLED };

type Told = readonly [name: string, event: LeafEvent, by?: Move['by']];
const WORK: Record<Exclude<LeafState['phase'], 'reported'>, readonly Told[]> = {
  executing: [
    ['reports', { type: 'executed', output: [critical] }],
    ['ends silently', { type: 'executed', output: undefined }],
    ['lies', { type: 'executed', output: RUBBISH }],
    ['lies, but says it', { type: 'executed', output: [critical, RUBBISH] }],
    ['throws', { type: 'failed', fault: error }],
    ['is out of luck', { type: 'failed', fault: { ...error, diagnosis: 'transient' } }],
    ['is refused', { type: 'failed', fault: { ...error, diagnosis: 'rate-limited' } }],
    ['is hopeless', { type: 'failed', fault: { ...error, isFinal: true } }],
  ],
  verifying: [
    ['is verified', { type: 'verified' }],
    ['is not verified', { type: 'failed', fault: { ...error, diagnosis: 'failed-check' } }],
  ],
  recovering: [
    ['recovers', { type: 'recovered', enrichment: 'try again' }],
    ['recovers badly', { type: 'failed', fault: error }],
  ],
  'backing-off': [['comes back', { type: 'backed-off' }]],
};
const EVENTS = Object.values(WORK).flat();
/** Refusals beyond this are not walked: each is like the one before until they run out. */
const MOST_REFUSALS_WALKED = 1;

export function leafPart(
  core: Core,
  task: Task,
  { attempts, isPlain, hedges }: LeafBounds,
  isCounted: boolean,
  tally: Tally,
  must: Must,
): Part {
  const { path } = task;
  const intern = interning<LeafNode>(tally);
  const settle = (leaf: LeafState, heard: readonly Finding[], ends: number, outcome?: UnsealedOutcome): LeafNode => {
    const { phase, attempt, refusals, said, present, gaps } = leaf;
    const of = (findings: Iterable<Finding> = []): string[] => Array.from(findings, ({ id }) => id);
    const view = viewOf(path, heard, outcome, isCounted);
    const told = leaf.task.enrichments.length;
    const own = [phase, attempt, refusals, told, of(said?.values()), of(present), gaps, ends, view.key];
    const race = hedges && [leaf.standing, leaf.hedge?.goesOn, of(leaf.hedge?.present)];
    const key = JSON.stringify([own, race]);
    return intern(key, (id) => ({ id, view, leaf, ends }));
  };
  const follow = (node: LeafNode, name: string, event: LeafEvent): LeafNode => {
    const leaf = cloneLeaf(node.leaf);
    const effects = core.leafStep(leaf, event);
    const heard = [...node.view.heard];
    const ends: UnsealedOutcome[] = [];
    for (const effect of effects) {
      if (effect.type === 'say' && effect.finding.critical) heard.push(effect.finding);
      if (effect.type === 'end') ends.push(effect.outcome);
      if (effect.type === 'execute') checkAttempt(node.leaf, effect, event);
    }
    const count = node.ends + ends.length;
    must(count <= 1 && (count === 1) === (leaf.phase === 'reported'), () => `${path} ${name}: ended ${count} times`);
    const [outcome] = ends;
    if (outcome) checkEnd(leaf, heard, outcome);
    return settle(leaf, heard, count, outcome ?? node.view.outcome);
  };
  /** leaf-logic 2: never the identical task twice, but after a transient fault or a refusal. */
  const checkAttempt = (before: LeafState, { attempt, task }: LeafEffect & { type: 'execute' }, event: LeafEvent) => {
    must(attempt <= attempts, () => `${path}: attempt ${attempt} of ${attempts}`);
    const more = task.enrichments.length - before.task.enrichments.length;
    must(more === (event.type === 'recovered' ? 1 : 0), () => `${path}: ${more} enrichments more after ${event.type}`);
  };
  /** leaf-logic 1 and 3. */
  const checkEnd = (leaf: LeafState, heard: readonly Finding[], outcome: UnsealedOutcome): void => {
    const standing = bodyOf(outcome as never)?.escalations ?? [];
    const missing = heard.filter((finding) => !standing.includes(finding));
    must(missing.length === 0, () => `${path}: ended without its critical ${missing[0]?.id}`);
    for (const [name, event] of EVENTS) {
      const effects = core.leafStep(cloneLeaf(leaf), event);
      must(effects.length === 0, () => `${path} ${name}: heeded after its end`);
    }
  };
  /** What may be told next; of two executions, by whichever goes on. */
  const dueOf = ({ leaf, view }: LeafNode): Told[] => {
    const { phase, hedge, refusals } = leaf;
    if (phase === 'reported') return [];
    const due = WORK[phase].filter(
      ([, event]) =>
        refusals < MOST_REFUSALS_WALKED || event.type !== 'failed' || event.fault.diagnosis !== 'rate-limited',
    );
    if (isPlain && phase === 'executing') due.push(['reports plainly', { type: 'executed', output: plain }]);
    if (view.heard.length === 0) due.push(['speaks', { type: 'said', draft: critical }, 'fault']);
    if (!hedge) return hedges && phase === 'executing' ? [...due, ['is hedged', { type: 'hedged' }, 'fault']] : due;
    const of = (isHedge: boolean, [name, event, by = 'work']: Told): Told => [
      name,
      { ...event, isHedge } as LeafEvent,
      by,
    ];
    if (hedge.goesOn === 'both') return [false, true].flatMap((isHedge) => due.map((told) => of(isHedge, told)));
    const isHedge = hedge.goesOn === 'hedge';
    const late: Told[] = [['is outrun, but says it', { type: 'executed', output: [critical] }, 'fault']];
    return [
      ...due.map((told) => of(isHedge, told)),
      ...(view.heard.length === 0 ? late.map((told) => of(!isHedge, told)) : []),
    ];
  };
  /** What is told too late, or out of turn, changes nothing; but what another execution calls critical was said. */
  const checkLate = ({ leaf }: LeafNode, due: readonly Told[]): void => {
    const { phase, hedge } = leaf;
    const heeded = (event: LeafEvent): boolean =>
      core.leafStep(cloneLeaf(leaf), event).some(({ type }) => type !== 'say' || !hedge);
    for (const [name, event] of EVENTS) {
      if (event.type === 'failed' || due.some(([, told]) => told.type === event.type)) continue;
      must(!heeded(event), () => `${path} ${name}: heeded while ${phase}`);
    }
    if (!hedge || hedge.goesOn === 'both') return;
    for (const [name, event] of WORK.executing) {
      const late = { ...event, isHedge: hedge.goesOn === 'first' } as LeafEvent;
      must(!heeded(late), () => `${path} ${name}: heeded of the execution that is over`);
    }
  };
  const movesOf = (node: LeafNode): Move[] => {
    const { leaf } = node;
    if (leaf.phase === 'reported') return [];
    const told = dueOf(node);
    checkLate(node, told);
    const moves = told.map(([name, event, by = 'work']): Move => ({ name, by, to: follow(node, name, event) }));
    moves.push({ name: 'is told to close', by: 'timer', to: follow(node, 'closes', closed) });
    moves.push({ name: 'is cancelled', by: 'cancel', to: follow(node, 'is cancelled', cancelled) });
    must(
      moves.some(({ by, to }) => by === 'work' && to !== node),
      () => `${path}: no progress without timers while ${leaf.phase}`,
    );
    for (const { name, to } of moves) must(to !== node, () => `${path} ${name}: goes nowhere`);
    return moves.filter(({ to }) => to !== node);
  };
  const [leaf] = core.beginLeaf(task, attempts);
  return {
    path,
    initial: settle(leaf, [], 0),
    moves: (state) => movesOf(state as LeafNode),
    cancel: (state) =>
      (state as LeafNode).leaf.phase === 'reported' ? state : follow(state as LeafNode, 'is cancelled', cancelled),
  };
}
