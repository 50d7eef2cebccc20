/**
 * One atomic task: execute, verify, recover, execute again. A reducer without IO or clock; it owns and mutates its
 * state. Every host drives it: it says what to do next, and is told what came of it.
 *  1. Ends exactly once, with a report or a token; afterwards every event is ignored.
 *  2. At most `maxAttempts` attempts; each carries one enrichment more than the one before, unless that failed by a
 *     transient fault: then it is the same task again, after a back-off.
 *  3. A critical finding that was said is in the end, also when the attempt that said it failed.
 *  4. What the author returned is parsed, not believed.
 *  5. An attempt that was refused by a rate limit begins again after a back-off without counting, `MOST_REFUSALS`
 *     times in all; from then on it counts as failed.
 *  6. An attempt may be executed a second time, as a hedge. The first of the two that answers validly is the attempt's
 *     result, and of the other only criticals count; one that fails is dropped, and the attempt fails with the last.
 */
import { canonicalJson } from '../protocol/digest.ts';
import type { Finding } from '../protocol/finding.ts';
import { NONE } from '../protocol/freeze.ts';
import { isHole, type Gap } from '../protocol/gap.ts';
import type { Artifact, UnsealedOutcome, UnsealedReport, UnsealedToken } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import type { Task } from '../protocol/task.ts';
import { SCHEMA_VERSION } from '../protocol/version.ts';
import { tokenOf } from './fault.ts';
import { invalid, readDraft, readOutput, type Draft } from './leaf-output.ts';
import { mint, type Said } from './minting.ts';
import { ownUsage } from './usage.ts';

/** What one execution of the present attempt has said and kept. */
type Execution = {
  /** Its findings in the order said, after those that stood when it began. */
  present: Set<Finding> | undefined;
  artifacts: readonly Artifact[];
  spoken: number;
  /** The drafts without a key that it has said live, as canonical JSON. */
  live: string[];
};
/** Of an attempt and its hedge, who goes on: both until one of them has failed or answered. */
type Hedge = Execution & { goesOn: 'both' | 'first' | 'hedge' };
/** The attempt's first execution is kept in the state itself: few are hedged. */
export type LeafState = Execution & {
  task: Task;
  readonly maxAttempts: number;
  phase: 'executing' | 'verifying' | 'recovering' | 'backing-off' | 'reported';
  attempt: number;
  /** How often a rate limit has refused it without that having cost an attempt. */
  refusals: number;
  /** What it has said so far; like `present` made on first use, because thousands may be alive that have said nothing. */
  said: Said | undefined;
  /** How many of `present` stood when the attempt began. */
  standing: number;
  gaps: Gap[];
  hedge: Hedge | undefined;
  /** How many hedges there were, over all attempts. */
  hedges: number;
};
export type LeafEvent =
  | { type: 'said'; draft: unknown; isHedge?: boolean }
  | { type: 'kept'; artifact: Artifact; isHedge?: boolean }
  | { type: 'executed'; output: unknown; isHedge?: boolean }
  | { type: 'verified' }
  | { type: 'failed'; fault: Fault; isHedge?: boolean }
  /** It has been at work for longer than is usual. */
  | { type: 'straggling' }
  /** The hedge that was asked for may begin. */
  | { type: 'hedged' }
  | { type: 'recovered'; enrichment: string }
  | { type: 'backed-off' }
  /** `attempts`: how many had begun; the present one may still have been waiting for its slot. */
  | { type: 'closed'; fault: Fault; attempts?: number };
export type LeafEffect =
  /** `enrichment`: what this attempt is told that the one before was not. */
  | { type: 'execute'; task: Task; attempt: number; enrichment?: string | undefined; isHedge?: true }
  /** Tell `hedged` when it may be executed a second time: when its run can afford that, and has a slot to spare. */
  | { type: 'hedge'; attempt: number }
  /** One of two executions is over: by its fault, or because the other has answered. */
  | { type: 'drop'; attempt: number; isHedge: boolean; fault?: Fault }
  | { type: 'verify'; findings: readonly Finding[] }
  | { type: 'recover'; fault: Fault }
  /** Wait at random, up to a time that doubles with every one `before`; and no less than the fault asks for. */
  | { type: 'back-off'; attempt: number; fault: Fault; before: number }
  | { type: 'say'; finding: Finding }
  | { type: 'give-up-attempt'; attempt: number; fault: Fault; willRetry: boolean }
  | { type: 'end'; outcome: UnsealedOutcome };
type Effects = readonly LeafEffect[];
const NOTHING: Effects = [];
const MOST_REFUSALS = 8;

/** How far a leaf had come when its run was interrupted. */
export type LeafProgress = {
  /** The attempt that was at work, or the last one that had failed. */
  readonly attempt: number;
  /** What each failed attempt taught the next one: nothing, when its fault was transient. */
  readonly enrichments: readonly (string | undefined)[];
  /** How the last attempt failed, when the next one had not begun. */
  readonly fault?: Fault;
  /** The critical findings it had said. */
  readonly criticals: readonly Finding[];
};

/** `earlier`: goes on where an interrupted run left it; the attempt that was at work begins again. */
export function beginLeaf(task: Task, maxAttempts: number, earlier?: LeafProgress): [LeafState, LeafEffect] {
  const { attempt = 1, enrichments = NONE, fault, criticals = NONE } = earlier ?? {};
  const taught = enrichments.length > 0 ? enrichments.filter((enrichment) => enrichment !== undefined) : NONE;
  const enriched = taught.length > 0 ? { ...task, enrichments: [...task.enrichments, ...taught] } : task;
  const state: LeafState = {
    task: enriched,
    maxAttempts,
    phase: 'executing',
    attempt,
    refusals: 0,
    said: criticals.length > 0 ? new Map(criticals.map((finding) => [finding.id, finding])) : undefined,
    present: criticals.length > 0 ? new Set(criticals) : undefined,
    standing: criticals.length,
    gaps: NONE,
    artifacts: NONE,
    spoken: 0,
    live: [],
    hedge: undefined,
    hedges: 0,
  };
  if (fault) return [state, afterFailure(state, fault)];
  if (attempt === 1) return [state, { type: 'execute', task: enriched, attempt }];
  return [state, { type: 'execute', task: enriched, attempt, enrichment: enrichments[attempt - 2] }];
}

/** A copy to branch from in a search. */
export const cloneLeaf = (state: LeafState): LeafState => ({
  ...state,
  ...cloneExecution(state),
  said: state.said && new Map(state.said),
  hedge: state.hedge && { ...state.hedge, ...cloneExecution(state.hedge) },
});
const cloneExecution = ({ present, artifacts, spoken, live }: Execution): Execution => ({
  present: present && new Set(present),
  artifacts,
  spoken,
  live: [...live],
});

export const saidBy = (state: LeafState): Said => (state.said ??= new Map());
const presentOf = (execution: Execution): Set<Finding> => (execution.present ??= new Set());
const executionOf = (state: LeafState, isHedge: boolean): Execution => (isHedge && state.hedge) || state;
const goesOn = ({ hedge }: LeafState, isHedge: boolean): boolean =>
  hedge ? hedge.goesOn === 'both' || hedge.goesOn === (isHedge ? 'hedge' : 'first') : !isHedge;
/** Both of its executions go on. */
export const isRace = ({ hedge }: LeafState): boolean => hedge?.goesOn === 'both';
/** Of two executions the hedge is the one that counts. */
export const isOfHedge = ({ hedge }: LeafState): boolean => hedge?.goesOn === 'hedge';
/** What the attempt has found: also the criticals that only the other execution said. */
function findingsOf(state: LeafState): Finding[] {
  if (!state.hedge) return [...presentOf(state)];
  const criticals = [...saidBy(state).values()].filter((finding) => finding.critical);
  return [...new Set([...presentOf(executionOf(state, isOfHedge(state))), ...criticals])];
}

export function leafStep(state: LeafState, event: LeafEvent): Effects {
  if (state.phase === 'reported') return NOTHING;
  switch (event.type) {
    case 'said':
      return saidLive(state, event.draft, event.isHedge === true);
    case 'kept':
      return kept(state, event.artifact, event.isHedge === true);
    case 'executed':
      return executed(state, event.output, event.isHedge === true);
    case 'verified':
      return state.phase === 'verifying' ? [end(state, leafReport(state, findingsOf(state)))] : NOTHING;
    case 'failed':
      return failed(state, event.fault, event.isHedge === true);
    case 'straggling':
      return mayHedge(state) ? [{ type: 'hedge', attempt: state.attempt }] : NOTHING;
    case 'hedged':
      return mayHedge(state) ? [hedged(state)] : NOTHING;
    case 'recovered':
      return state.phase === 'recovering' ? [nextAttempt(state, event.enrichment)] : NOTHING;
    case 'backed-off':
      return state.phase === 'backing-off' ? [again(state)] : NOTHING;
    case 'closed':
      return [end(state, failureOf(state, event.fault, event.attempts))];
  }
}

function saidLive(state: LeafState, draft: unknown, isHedge: boolean): Effects {
  const read = readDraft(draft);
  const counts = goesOn(state, isHedge);
  if ('value' in read) {
    if (!counts && !read.value.critical) return NOTHING;
    const by = executionOf(state, isHedge);
    if (read.value.key === undefined) by.live.push(canonicalJson(read.value));
    return say(state, by, read.value, by.spoken++);
  }
  return state.phase === 'executing' && counts ? failed(state, invalid('a finding said live', read), isHedge) : NOTHING;
}

function kept(state: LeafState, artifact: Artifact, isHedge: boolean): Effects {
  if (state.phase === 'executing' && goesOn(state, isHedge)) {
    const by = executionOf(state, isHedge);
    by.artifacts = [...by.artifacts.filter(({ ref }) => ref !== artifact.ref), artifact];
  }
  return NOTHING;
}

function say(state: LeafState, by: Execution, draft: Draft, ordinal: number): Effects {
  const { finding, isNew } = mint(state.task.path, draft, ordinal, saidBy(state));
  presentOf(by).add(finding);
  return isNew ? [{ type: 'say', finding }] : NOTHING;
}

function executed(state: LeafState, output: unknown, isHedge: boolean): Effects {
  const counts = state.phase === 'executing' && goesOn(state, isHedge);
  if (!counts && !state.hedge) return NOTHING;
  if (output === undefined || output === null) {
    return counts ? failed(state, { status: 'silent', message: 'ended without output' }, isHedge) : NOTHING;
  }
  const by = executionOf(state, isHedge);
  const { findings, gaps, fault } = readOutput(state.task.path, output);
  const effects: LeafEffect[] = [];
  const saidBefore = by.live.length > 0 ? new Set(by.live) : undefined;
  for (const [index, draft] of findings.entries()) {
    // said live already, without a key that would tell
    if (draft.key === undefined && saidBefore?.delete(canonicalJson(draft))) continue;
    // an answer that fails its schema, or comes too late, is not believed, but what it calls critical was said
    if ((counts && !fault) || draft.critical) effects.push(...say(state, by, draft, index));
  }
  if (!counts) return effects;
  if (fault) return [...effects, ...failed(state, fault, isHedge)];
  if (state.hedge && isRace(state)) {
    state.hedge.goesOn = isHedge ? 'hedge' : 'first';
    effects.push({ type: 'drop', attempt: state.attempt, isHedge: !isHedge });
  }
  state.gaps = gaps;
  state.phase = 'verifying';
  effects.push({ type: 'verify', findings: findingsOf(state) });
  return effects;
}

const mayHedge = ({ phase, hedge }: LeafState): boolean => phase === 'executing' && !hedge;
/** The same task, in the same state of knowledge: of what was said there only stands what stood for the first. */
function hedged(state: LeafState): LeafEffect {
  const present = new Set([...(state.present ?? NONE)].slice(0, state.standing));
  state.hedge = { present, artifacts: NONE, spoken: 0, live: [], goesOn: 'both' };
  state.hedges++;
  return { type: 'execute', task: state.task, attempt: state.attempt, isHedge: true };
}

function failed(state: LeafState, fault: Fault, isHedge: boolean): Effects {
  const { attempt, phase, hedge } = state;
  if (!goesOn(state, isHedge)) return NOTHING;
  if (hedge && isRace(state)) {
    hedge.goesOn = isHedge ? 'first' : 'hedge';
    return [{ type: 'drop', attempt, isHedge, fault }];
  }
  state.hedge = undefined;
  if (phase === 'backing-off') return NOTHING;
  if (fault.diagnosis === 'rate-limited' && phase !== 'recovering' && state.refusals < MOST_REFUSALS) {
    state.phase = 'backing-off';
    return [{ type: 'back-off', attempt, fault, before: state.refusals++ }];
  }
  // What is spent stays spent, and what is wrong with the scenario stays so: another attempt would fail as this one did.
  const isFinal = fault.isFinal ?? fault.status === 'budget';
  const willRetry = phase !== 'recovering' && attempt < state.maxAttempts && !isFinal;
  const lost: LeafEffect = { type: 'give-up-attempt', attempt, fault, willRetry };
  return [lost, willRetry ? afterFailure(state, fault) : end(state, { ...failureOf(state, fault), needsHuman: true })];
}

/** What follows an attempt that has failed, when another may. */
function afterFailure(state: LeafState, fault: Fault): LeafEffect {
  if (fault.diagnosis !== 'transient') {
    state.phase = 'recovering';
    return { type: 'recover', fault };
  }
  state.phase = 'backing-off';
  return { type: 'back-off', attempt: ++state.attempt, fault, before: state.attempt - 2 };
}

function nextAttempt(state: LeafState, enrichment: string): LeafEffect {
  state.task = { ...state.task, enrichments: [...state.task.enrichments, enrichment] };
  state.attempt++;
  return { ...again(state), enrichment };
}

/** The present attempt from its beginning: of what was said only criticals stand. */
function again(state: LeafState): LeafEffect & { type: 'execute' } {
  state.phase = 'executing';
  state.present = new Set([...saidBy(state).values()].filter((finding) => finding.critical));
  state.standing = state.present.size;
  state.spoken = 0;
  state.artifacts = NONE;
  state.live = [];
  state.hedge = undefined;
  return { type: 'execute', task: state.task, attempt: state.attempt };
}

function end(state: LeafState, outcome: UnsealedOutcome): LeafEffect {
  state.phase = 'reported';
  return { type: 'end', outcome };
}

function failureOf(state: LeafState, fault: Fault, attempts = state.attempt): UnsealedToken {
  const said = [...saidBy(state).values()];
  const partial = said.length > 0 ? { ...leafReport(state, said), status: 'partial' as const } : undefined;
  return tokenOf(state.task, fault, attempts, partial);
}

function leafReport(state: LeafState, findings: Finding[]): UnsealedReport {
  const { task, attempt, gaps, hedges } = state;
  const { artifacts } = executionOf(state, isOfHedge(state));
  const usage = ownUsage(task.path, { leaves: 1, attempts: attempt, hedges });
  const hasHole = gaps.some(isHole);
  const criticals = findings.filter((finding) => finding.critical);
  // Keys in alphabetical order: so the digest of a leaf's report needs no sorting.
  return {
    artifacts: artifacts.length > 0 ? [...artifacts] : NONE,
    children: NONE,
    conflicts: NONE,
    depth: usage.depth,
    derived: NONE,
    dispositions: NONE,
    escalations: criticals.length > 0 ? criticals : NONE,
    findings,
    gaps,
    kind: 'report',
    madeBy: 'leaf',
    narrative: '',
    path: task.path,
    question: task.question,
    relations: NONE,
    runId: task.runId,
    schemaVersion: SCHEMA_VERSION,
    status: !hasHole ? 'complete' : findings.length > 0 ? 'partial' : 'failed',
    tier: task.tier,
    usage: { self: usage, subtree: usage },
  };
}
