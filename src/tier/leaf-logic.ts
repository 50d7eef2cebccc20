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
 */
import type { z } from 'zod';
import { canonicalJson } from '../protocol/digest.ts';
import { FindingDraft, type Finding } from '../protocol/finding.ts';
import { NONE } from '../protocol/freeze.ts';
import { GapDraft, isHole, type Gap } from '../protocol/gap.ts';
import { childPath } from '../protocol/path.ts';
import type { Artifact, UnsealedOutcome, UnsealedReport, UnsealedToken } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import type { Task } from '../protocol/task.ts';
import { SCHEMA_VERSION } from '../protocol/version.ts';
import { readAnswer, unreadable, type Answer } from './answer.ts';
import { tokenOf } from './fault.ts';
import { mint, type Said } from './minting.ts';
import { ownUsage } from './usage.ts';

export type LeafState = {
  task: Task;
  readonly maxAttempts: number;
  phase: 'executing' | 'verifying' | 'recovering' | 'backing-off' | 'reported';
  attempt: number;
  /** How often a rate limit has refused it without that having cost an attempt. */
  refusals: number;
  /** What it has said so far; like `present` made on first use, because thousands may be alive that have said nothing. */
  said: Said | undefined;
  /** The findings of the present attempt, in the order said. */
  present: Set<Finding> | undefined;
  gaps: Gap[];
  /** What the present attempt has kept. */
  artifacts: readonly Artifact[];
  spoken: number;
  /** The drafts without a key that this attempt has said live, as canonical JSON. */
  live: string[];
};
export type LeafEvent =
  | { type: 'said'; draft: unknown }
  | { type: 'kept'; artifact: Artifact }
  | { type: 'executed'; output: unknown }
  | { type: 'verified' }
  | { type: 'failed'; fault: Fault }
  | { type: 'recovered'; enrichment: string }
  | { type: 'backed-off' }
  /** `attempts`: how many had begun; the present one may still have been waiting for its slot. */
  | { type: 'closed'; fault: Fault; attempts?: number };
export type LeafEffect =
  /** `enrichment`: what this attempt is told that the one before was not. */
  | { type: 'execute'; task: Task; attempt: number; enrichment?: string | undefined }
  | { type: 'verify'; findings: readonly Finding[] }
  | { type: 'recover'; fault: Fault }
  /** Wait at random, up to a time that doubles with every one `before`; and no less than the fault asks for. */
  | { type: 'back-off'; attempt: number; fault: Fault; before: number }
  | { type: 'say'; finding: Finding }
  | { type: 'give-up-attempt'; attempt: number; fault: Fault; willRetry: boolean }
  | { type: 'end'; outcome: UnsealedOutcome };
type Effects = readonly LeafEffect[];
type Draft = z.output<typeof FindingDraft>;
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
    gaps: NONE,
    artifacts: NONE,
    spoken: 0,
    live: [],
  };
  if (fault) return [state, afterFailure(state, fault)];
  if (attempt === 1) return [state, { type: 'execute', task: enriched, attempt }];
  return [state, { type: 'execute', task: enriched, attempt, enrichment: enrichments[attempt - 2] }];
}

/** A copy to branch from in a search. */
export const cloneLeaf = (state: LeafState): LeafState => ({
  ...state,
  said: state.said && new Map(state.said),
  present: state.present && new Set(state.present),
  live: [...state.live],
});

export const saidBy = (state: LeafState): Said => (state.said ??= new Map());
const presentOf = (state: LeafState): Set<Finding> => (state.present ??= new Set());

export function leafStep(state: LeafState, event: LeafEvent): Effects {
  if (state.phase === 'reported') return NOTHING;
  switch (event.type) {
    case 'said':
      return saidLive(state, event.draft);
    case 'kept':
      return kept(state, event.artifact);
    case 'executed':
      return state.phase === 'executing' ? executed(state, event.output) : NOTHING;
    case 'verified':
      return state.phase === 'verifying' ? [end(state, leafReport(state, [...presentOf(state)]))] : NOTHING;
    case 'failed':
      return failed(state, event.fault);
    case 'recovered':
      return state.phase === 'recovering' ? [nextAttempt(state, event.enrichment)] : NOTHING;
    case 'backed-off':
      return state.phase === 'backing-off' ? [again(state)] : NOTHING;
    case 'closed':
      return [end(state, failureOf(state, event.fault, event.attempts))];
  }
}

function saidLive(state: LeafState, draft: unknown): Effects {
  const read = readDraft(draft);
  if ('value' in read) {
    if (read.value.key === undefined) state.live.push(canonicalJson(read.value));
    return say(state, read.value, state.spoken++);
  }
  return state.phase === 'executing' ? failed(state, invalid('a finding said live', read)) : NOTHING;
}

function kept(state: LeafState, artifact: Artifact): Effects {
  if (state.phase === 'executing') {
    state.artifacts = [...state.artifacts.filter(({ ref }) => ref !== artifact.ref), artifact];
  }
  return NOTHING;
}

function say(state: LeafState, draft: Draft, ordinal: number): Effects {
  const { finding, isNew } = mint(state.task.path, draft, ordinal, saidBy(state));
  presentOf(state).add(finding);
  return isNew ? [{ type: 'say', finding }] : NOTHING;
}

function executed(state: LeafState, output: unknown): Effects {
  if (output === undefined || output === null) {
    return failed(state, { status: 'silent', message: 'ended without output' });
  }
  const { findings, gaps, fault } = readOutput(state.task.path, output);
  const effects: LeafEffect[] = [];
  const saidBefore = state.live.length > 0 ? new Set(state.live) : undefined;
  for (const [index, draft] of findings.entries()) {
    // said live already, without a key that would tell
    if (draft.key === undefined && saidBefore?.delete(canonicalJson(draft))) continue;
    // an answer that fails its schema is not believed, but what it calls critical was said
    if (!fault || draft.critical) effects.push(...say(state, draft, index));
  }
  if (fault) return [...effects, ...failed(state, fault)];
  state.gaps = gaps;
  state.phase = 'verifying';
  effects.push({ type: 'verify', findings: [...presentOf(state)] });
  return effects;
}

/** What can be read of an attempt's output, and the first thing that cannot. */
function readOutput(path: string, output: unknown): { findings: Draft[]; gaps: Gap[]; fault: Fault | undefined } {
  const drafts: readonly unknown[] = Array.isArray(output) ? output : [output];
  const findings: Draft[] = [];
  let gaps: Gap[] = NONE;
  let fault: Fault | undefined;
  for (let index = 0; index < drafts.length; index++) {
    const name = drafts.length > 1 ? `result ${index + 1} of ${drafts.length}` : 'the result';
    const read = readResult(drafts, index);
    if (!('value' in read)) fault ??= invalid(name, read);
    else if ('statement' in read.value) findings.push(read.value);
    else {
      const { child, gap, why } = read.value;
      if (gaps === NONE) gaps = [];
      gaps.push({ kind: gap, path: child === undefined ? path : childPath(path, child), why });
    }
  }
  return { findings, gaps, fault };
}

/** A draft that has a `gap` is read as one, any other as a finding. */
function readResult(drafts: readonly unknown[], index: number): Answer<Draft> | Answer<GapDraft> {
  try {
    const draft = drafts[index];
    return has(draft, 'gap') ? readAnswer(GapDraft, draft) : readDraft(draft);
  } catch (error) {
    return unreadable(error);
  }
}

/** Most drafts have no `data`. It is recursive, and whatever may hold it zod keeps account of, to find cycles. */
const DraftWithoutData = FindingDraft.omit({ data: true });
function readDraft(draft: unknown): Answer<Draft> {
  try {
    return readAnswer<Draft>(has(draft, 'data') ? FindingDraft : DraftWithoutData, draft);
  } catch (error) {
    return unreadable(error);
  }
}
const has = (draft: unknown, key: string): boolean => typeof draft === 'object' && draft !== null && key in draft;

function failed(state: LeafState, fault: Fault): Effects {
  const { attempt, phase } = state;
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
  state.spoken = 0;
  state.artifacts = NONE;
  state.live = [];
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

function leafReport({ task, attempt, gaps, artifacts }: LeafState, findings: Finding[]): UnsealedReport {
  const usage = ownUsage(task.path, { leaves: 1, attempts: attempt });
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

const invalid = (what: string, { why }: { why: string }): Fault => ({
  status: 'invalid',
  message: `${what} is not a finding: ${why}`,
  diagnosis: 'invalid-output',
});
