/**
 * One atomic task: execute, verify, recover, execute again. A reducer without IO or clock; it owns and mutates its
 * state. Every host drives it: it says what to do next, and is told what came of it.
 *  1. Ends exactly once, with a report or a token; afterwards every event is ignored.
 *  2. At most `maxAttempts` attempts; each carries one enrichment more than the one before.
 *  3. A critical finding that was said is in the end, also when the attempt that said it failed.
 *  4. What the author returned is parsed, not believed.
 */
import { FindingDraft, type Finding } from '../protocol/finding.ts';
import { GapDraft, isHole, type Gap } from '../protocol/gap.ts';
import { childPath } from '../protocol/path.ts';
import type { UnsealedOutcome, UnsealedReport } from '../protocol/report.ts';
import type { Fault } from '../protocol/run-event.ts';
import type { Task } from '../protocol/task.ts';
import { SCHEMA_VERSION } from '../protocol/version.ts';
import { tokenOf } from './fault.ts';
import { mint, type Said } from './minting.ts';
import { ownUsage } from './usage.ts';

export type LeafState = {
  task: Task;
  readonly maxAttempts: number;
  phase: 'executing' | 'verifying' | 'recovering' | 'reported';
  attempt: number;
  readonly said: Said;
  /** The findings of the present attempt, in the order said. */
  present: Set<Finding>;
  gaps: readonly Gap[];
  spoken: number;
};
export type LeafEvent =
  | { type: 'said'; draft: unknown }
  | { type: 'executed'; output: unknown }
  | { type: 'verified' }
  | { type: 'failed'; fault: Fault }
  | { type: 'recovered'; enrichment: string }
  | { type: 'closed'; fault: Fault };
export type LeafEffect =
  | { type: 'execute'; task: Task; attempt: number }
  | { type: 'verify'; findings: readonly Finding[] }
  | { type: 'recover'; fault: Fault }
  | { type: 'say'; finding: Finding }
  | { type: 'give-up-attempt'; attempt: number; fault: Fault; willRetry: boolean }
  | { type: 'end'; outcome: UnsealedOutcome };
type Effects = readonly LeafEffect[];
const NOTHING: Effects = [];

export function beginLeaf(task: Task, maxAttempts: number): [LeafState, LeafEffect] {
  const state: LeafState = {
    task,
    maxAttempts,
    phase: 'executing',
    attempt: 1,
    said: new Map(),
    present: new Set(),
    gaps: [],
    spoken: 0,
  };
  return [state, { type: 'execute', task, attempt: 1 }];
}

/** A copy to branch from in a search. */
export const cloneLeaf = (state: LeafState): LeafState => ({
  ...state,
  said: new Map(state.said),
  present: new Set(state.present),
});

export function leafStep(state: LeafState, event: LeafEvent): Effects {
  if (state.phase === 'reported') return NOTHING;
  switch (event.type) {
    case 'said':
      return saidLive(state, event.draft);
    case 'executed':
      return state.phase === 'executing' ? executed(state, event.output) : NOTHING;
    case 'verified':
      return state.phase === 'verifying' ? [end(state, leafReport(state, [...state.present]))] : NOTHING;
    case 'failed':
      return failed(state, event.fault);
    case 'recovered':
      return state.phase === 'recovering' ? [nextAttempt(state, event.enrichment)] : NOTHING;
    case 'closed':
      return [end(state, failureOf(state, event.fault))];
  }
}

function saidLive(state: LeafState, draft: unknown): Effects {
  const parsed = FindingDraft.safeParse(draft);
  if (!parsed.success) {
    return state.phase === 'executing' ? failed(state, invalid('a finding said live', parsed.error)) : NOTHING;
  }
  const { finding, isNew } = mint(state.task.path, parsed.data, state.spoken++, state.said);
  state.present.add(finding);
  return isNew ? [{ type: 'say', finding }] : NOTHING;
}

function executed(state: LeafState, output: unknown): Effects {
  if (output === undefined || output === null) {
    return failed(state, { status: 'silent', message: 'ended without output' });
  }
  const drafts: readonly unknown[] = Array.isArray(output) ? output : [output];
  const findings: ReturnType<typeof FindingDraft.parse>[] = [];
  const gaps: Gap[] = [];
  for (const [index, draft] of drafts.entries()) {
    const name = drafts.length > 1 ? `result ${index + 1} of ${drafts.length}` : 'the result';
    if (typeof draft === 'object' && draft !== null && 'gap' in draft) {
      const parsed = GapDraft.safeParse(draft);
      if (!parsed.success) return failed(state, invalid(name, parsed.error));
      const { child, gap, why } = parsed.data;
      gaps.push({ path: child === undefined ? state.task.path : childPath(state.task.path, child), kind: gap, why });
    } else {
      const parsed = FindingDraft.safeParse(draft);
      if (!parsed.success) return failed(state, invalid(name, parsed.error));
      findings.push(parsed.data);
    }
  }
  const effects: LeafEffect[] = [];
  for (const [index, draft] of findings.entries()) {
    const { finding, isNew } = mint(state.task.path, draft, index, state.said);
    state.present.add(finding);
    if (isNew) effects.push({ type: 'say', finding });
  }
  state.gaps = gaps;
  state.phase = 'verifying';
  effects.push({ type: 'verify', findings: [...state.present] });
  return effects;
}

function failed(state: LeafState, fault: Fault): Effects {
  const { attempt } = state;
  const willRetry = state.phase !== 'recovering' && attempt < state.maxAttempts;
  const lost: LeafEffect = { type: 'give-up-attempt', attempt, fault, willRetry };
  if (!willRetry) return [lost, end(state, failureOf(state, fault))];
  state.phase = 'recovering';
  return [lost, { type: 'recover', fault }];
}

function nextAttempt(state: LeafState, enrichment: string): LeafEffect {
  state.task = { ...state.task, enrichments: [...state.task.enrichments, enrichment] };
  state.phase = 'executing';
  state.attempt++;
  state.present = new Set([...state.said.values()].filter((finding) => finding.critical));
  state.spoken = 0;
  return { type: 'execute', task: state.task, attempt: state.attempt };
}

function end(state: LeafState, outcome: UnsealedOutcome): LeafEffect {
  state.phase = 'reported';
  return { type: 'end', outcome };
}

function failureOf(state: LeafState, fault: Fault): UnsealedOutcome {
  const said = [...state.said.values()];
  const partial = said.length > 0 ? { ...leafReport(state, said), status: 'partial' as const } : undefined;
  return tokenOf(state.task, fault, state.attempt, partial);
}

function leafReport({ task, attempt, gaps }: LeafState, findings: Finding[]): UnsealedReport {
  const usage = ownUsage(task.path, { leaves: 1, attempts: attempt });
  const hasHole = gaps.some(isHole);
  // Keys in alphabetical order: so the digest of a leaf's report needs no sorting.
  return {
    artifacts: [],
    children: [],
    conflicts: [],
    depth: usage.depth,
    derived: [],
    dispositions: [],
    escalations: findings.filter((finding) => finding.critical),
    findings,
    gaps: [...gaps],
    kind: 'report',
    madeBy: 'leaf',
    narrative: '',
    path: task.path,
    question: task.question,
    relations: [],
    runId: task.runId,
    schemaVersion: SCHEMA_VERSION,
    status: !hasHole ? 'complete' : findings.length > 0 ? 'partial' : 'failed',
    tier: task.tier,
    usage: { self: usage, subtree: usage },
  };
}

const invalid = (
  what: string,
  error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] },
): Fault => {
  const issue = error.issues[0];
  const where = issue && issue.path.length > 0 ? ` at ${issue.path.map(String).join('.')}` : '';
  return { status: 'invalid', message: `${what} is not a finding${where}: ${issue?.message ?? 'wrong shape'}` };
};
