/**
 * A synthesizer that asks a model. It is shown what the children reported, and nothing else of the run, and answers
 * with ids and dispositions.
 *  1. Critical findings pass whatever it says: code attaches them, after it.
 *  2. What it computes is not believed: weights, dissent, strengths and the assessment are the code's own.
 *  3. Of more findings than it can weigh it is shown the heaviest; the others are dropped, with that reason.
 */
import { z } from 'zod';
import type { SynthesisContext, Synthesizer } from '../define/spec.ts';
import type { Ended } from '../ports/activities.ts';
import { DATA_RULE, dataBlock, untagged, visibleLine } from '../protocol/data-block.ts';
import { weightOf, type Finding } from '../protocol/finding.ts';
import type { Outcome, UnsealedReport } from '../protocol/report.ts';
import type { Derived, SynthesisDraft } from '../protocol/synthesis.ts';

export type SynthesizerOptions = {
  /** What whoever is to read the synthesis knows and wants: part of the system prompt. */
  readonly context?: string;
  /** How many findings it is shown, at most. Default 200. */
  readonly most?: number;
};

const MOST = 200;
const OPS = ['count', 'sum', 'mean', 'median', 'min', 'max', 'difference', 'ratio'] as const satisfies Derived['op'][];
const Ids = z.array(z.string()).describe('Ids of findings');

const Answer = z.object({
  narrative: z.string().min(1).describe('Prose that cites findings as [id]'),
  dispositions: z.array(
    z.object({
      id: z.string(),
      as: z.enum(['kept', 'merged', 'dropped']),
      into: z.string().describe('Of a merged one: the key of its merge').optional(),
      why: z.string().describe('Of a dropped one: the reason').optional(),
    }),
  ),
  merges: z.array(
    z.object({
      key: z.string(),
      lead: z.string().describe('The id of the finding whose value and source it keeps: one of those merged into it'),
      statement: z.string(),
    }),
  ),
  derived: z.array(z.object({ from: Ids, op: z.enum(OPS), value: z.number() })),
  conflicts: z.array(
    z.object({ statement: z.string(), supports: Ids, against: Ids, resolution: z.enum(['open', 'resolved']) }),
  ),
  relations: z.array(
    z.object({
      one: z.string().describe('The path of a child'),
      other: z.string().describe('The path of another child'),
      kind: z.enum(['contradicts', 'reinforces']),
      statement: z.string(),
    }),
  ),
  lacking: z.array(z.string()).describe('What is missing to answer the question, one sentence each'),
});
type Answer = z.output<typeof Answer>;

const RULES = `You write the synthesis of an inquiry from the reports of its parts. Keep books:
- Say of every finding what becomes of it: kept, merged into one that says the same (define the merge), or dropped with a
  reason. Drop only what adds nothing. Critical findings pass by themselves; count them as kept.
- Cite findings in the narrative as [id], exactly as they are given. Cite nothing else.
- Use no number that is not in a finding you were given. One that you compute, declare in "derived" with the findings it
  is computed from.
- Where findings disagree, name the conflict and keep both sides, unless the evidence resolves it.
- Say what is missing.
You are read by people who decide: be plain, and separate what is known from what is likely.

${DATA_RULE}`;

/**
 * @example defineDomain({ …, synthesize: synthesizeByModel() })
 */
export function synthesizeByModel({ context = '', most = MOST }: SynthesizerOptions = {}): Synthesizer {
  const system = context === '' ? RULES : `${RULES}\n\nFor whom this is done: ${context}`;
  const synthesize = async (given: SynthesisContext): Promise<SynthesisDraft> => {
    const incoming = given.children.flatMap(({ outcome }) => bodyOf(outcome)?.findings ?? []);
    const unseen = beyond(incoming, most);
    const { value } = await given.model.ask({ system, prompt: promptOf(given, unseen), output: Answer });
    return draftOf(value, given, incoming, unseen);
  };
  // A synthesizer is known by its text, which would not tell two of these apart.
  Object.defineProperty(synthesize, 'toString', {
    value: () => `synthesizeByModel(${JSON.stringify({ context, most })})`,
  });
  return Object.assign(synthesize, { asks: { calls: 1, inputTokens: 8_000, outputTokens: 3_000 } });
}

const bodyOf = (outcome: Outcome): UnsealedReport | undefined =>
  outcome.kind === 'report' ? outcome : outcome.partial;

/** The ids of those that are too many, critical ones aside. */
function beyond(incoming: readonly Finding[], most: number): ReadonlySet<string> {
  const others = incoming.filter(({ critical }) => !critical);
  const room = Math.max(0, most - (incoming.length - others.length));
  return new Set(
    others
      .toSorted((a, b) => weightOf(b) - weightOf(a))
      .slice(room)
      .map(({ id }) => id),
  );
}

function promptOf({ task, children }: SynthesisContext, unseen: ReadonlySet<string>): string {
  return [
    `<task>\nquestion: ${untagged(task.question)}`,
    ...(task.charter === '' ? [] : [`domain: ${untagged(task.charter)}`]),
    `as of: ${task.asOf ?? 'today'}`,
    '</task>',
    ...children.map((child) => reportBlock(child, unseen)),
  ].join('\n');
}

function reportBlock({ outcome }: Ended, unseen: ReadonlySet<string>): string {
  const body = bodyOf(outcome);
  const lines = [
    `status: ${outcome.status}`,
    ...(outcome.kind === 'failure' ? [`it failed: ${visibleLine(outcome.message)}`] : []),
    ...(body?.narrative ? [`narrative: ${visibleLine(body.narrative)}`] : []),
    ...(body?.findings ?? []).filter(({ id }) => !unseen.has(id)).map(findingLine),
    ...(body?.conflicts ?? []).map(({ statement }) => `conflict: ${visibleLine(statement)}`),
    ...(body?.gaps ?? []).map(({ path, kind, why }) => `gap at ${path} (${kind}): ${visibleLine(why)}`),
  ];
  return dataBlock(`report of ${outcome.path}`, lines.join('\n'));
}

function findingLine({ id, statement, value, unit, stance, confidence, critical, flags, source }: Finding): string {
  const figures = value === undefined ? '' : `; value ${value}${unit === undefined ? '' : ` ${unit}`}`;
  const alarm = critical ? `; CRITICAL by ${critical.rule}: ${critical.reason}` : '';
  const marks = flags.length === 0 ? '' : `; flags ${flags.join(', ')}`;
  const rest = `stance ${stance}, confidence ${confidence}${figures}${alarm}${marks}; source ${source.ref}`;
  return visibleLine(`[${id}] ${statement} (${rest})`);
}

function draftOf(
  answer: Answer,
  given: SynthesisContext,
  incoming: readonly Finding[],
  unseen: ReadonlySet<string>,
): SynthesisDraft {
  const byId = new Map(incoming.map((finding) => [finding.id, finding]));
  const weigh = (ids: readonly string[]): number =>
    ids.reduce((sum, id) => sum + (byId.has(id) ? weightOf(byId.get(id) as Finding) : 0), 0);
  const { path } = given.task;
  const spoken = new Set(answer.dispositions.map(({ id }) => id));
  return {
    narrative: answer.narrative,
    dispositions: [
      ...answer.dispositions.map(({ id, as, into = '', why = 'no reason given' }) =>
        as === 'kept' ? { as, id } : as === 'merged' ? { as, id, into } : { as, id, why: why || 'no reason given' },
      ),
      ...[...unseen]
        .filter((id) => !spoken.has(id))
        .map((id) => ({ as: 'dropped' as const, id, why: 'too light to be weighed among so many' })),
    ],
    merges: answer.merges,
    derived: answer.derived,
    conflicts: answer.conflicts.map(({ statement, supports, against, resolution }) => {
      const [plus, minus] = [weigh(supports), weigh(against)];
      return {
        path,
        statement,
        resolution,
        supports: { findings: supports, weight: plus },
        against: { findings: against, weight: minus },
        dissent: plus + minus > 0 ? Math.min(plus, minus) / (plus + minus) : 0,
      };
    }),
    relations: answer.relations.map(({ one, other, kind, statement }) => ({
      between: [one, other],
      kind,
      statement,
      strength: Math.min(leanOf(one, given.children), leanOf(other, given.children)),
    })),
    gaps: answer.lacking.map((why) => ({ kind: 'insufficient', path, why })),
  };
}

function leanOf(path: string, children: readonly Ended[]): number {
  const outcome = children.find((child) => child.outcome.path === path)?.outcome;
  return Math.abs((outcome && bodyOf(outcome)?.assessment?.logOdds) ?? 0);
}
