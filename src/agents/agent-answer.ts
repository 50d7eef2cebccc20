/**
 * What an agent's model answers, and what of it the code believes.
 *  1. It has no say in where a finding stands, what may be read or called, nor which model it is: fields that nobody
 *     asked for change nothing, and raise an alert.
 *  2. A source that the attempt has not read is none. A finding without a source is flagged `unsourced`.
 *  3. Critical is what the definition calls so: a rule of its own, and either its series is beyond its bound, which the
 *     code looks up, or two sources of different places bear it out. Anything else is flagged `critical-refused`.
 */
import { z } from 'zod';
import type { DraftOf, LeafContext } from '../define/spec.ts';
import { FindingKey, type Critical, type Source } from '../protocol/finding.ts';
import type { GapDraft } from '../protocol/gap.ts';
import type { AgentDefinition, CriticalRule } from './agent-definition.ts';
import type { Evidence } from './evidence.ts';
import { visible } from '../protocol/data-block.ts';

export const UNSOURCED = 'unsourced';
export const CRITICAL_REFUSED = 'critical-refused';
/** Nobody can say whether its source knew, by then, what came after the as-of date. */
export const UNDATED = 'undated';

const LONGEST_STATEMENT = 2_000;
const MOST_FINDINGS = 50;

const FIELDS = {
  key: FindingKey.describe('Short name that stays the same when asked again').optional(),
  statement: z.string().min(1).max(LONGEST_STATEMENT).describe('One sentence that a reader can check'),
  value: z.number().describe('The number behind the statement, if there is one').optional(),
  unit: z.string().optional(),
  measure: z.string().describe('What was measured, such as growth').optional(),
  stance: z.number().min(-1).max(1).describe('-1 speaks fully against the thesis, 0 neutral, 1 fully for it'),
  confidence: z.number().min(0).max(1).describe('How far the stance can be relied on'),
  sources: z.array(z.string()).describe('Origins of what was read, as the data blocks name them, or URLs'),
  critical: z
    .object({ rule: z.string(), reason: z.string().min(1) })

    .describe('Only by a rule that the instructions list')
    .optional(),
};
/** Loose, so that what was not asked for is seen. The shape that a model is shown has no room for it. */
export const answerSchema = (data: z.ZodType | undefined, output: AgentDefinition['output']) => {
  const findings = z.array(z.looseObject({ ...FIELDS, ...(data && { data }) }));
  return z.looseObject({
    findings: findings.max(output === 'finding' ? 1 : MOST_FINDINGS),
    lacking: z.array(z.string().min(1)).describe('What could not be found out, one sentence each; may be empty'),
  });
};
export type AgentAnswer = z.output<ReturnType<typeof answerSchema>>;
type Answered = AgentAnswer['findings'][number];

type Judging = { definition: AgentDefinition; evidence: Evidence; context: LeafContext };

export async function readFindings<Data>(answer: AgentAnswer, judging: Judging): Promise<(DraftOf<Data> | GapDraft)[]> {
  const { context } = judging;
  const unasked = [
    ...unaskedIn(answer, ['findings', 'lacking']),
    ...answer.findings.flatMap((one) => unaskedIn(one, ASKED)),
  ];
  const told = [...new Set(unasked)].filter((field) => field !== 'path'); // a path is noticed where findings are minted
  if (told.length > 0)
    context.alert(`was answered with what nobody had asked for: ${told.map(visible).join(', ').slice(0, 200)}`);
  const drafts: (DraftOf<Data> | GapDraft)[] = [];
  for (const finding of answer.findings) drafts.push(await draftOf<Data>(finding, judging));
  return [...drafts, ...answer.lacking.map((why): GapDraft => ({ gap: 'insufficient', why: visible(why) }))];
}

const ASKED = [...Object.keys(FIELDS), 'data'];
const unaskedIn = (given: object, asked: readonly string[]): string[] =>
  Object.keys(given).filter((field) => !asked.includes(field));

async function draftOf<Data>(finding: Answered, judging: Judging): Promise<DraftOf<Data>> {
  const { evidence, context } = judging;
  const { key, statement, value, unit, measure, stance, confidence, sources } = finding;
  const source = sources.map((origin) => evidence.sourceOf(origin)).find((one) => one !== undefined);
  const { critical, flags } = await judged(finding, judging);
  const { data, path } = finding as { data?: unknown; path?: unknown };
  return {
    ...(key !== undefined && { key }),
    statement: visible(statement),
    ...(value !== undefined && { value }),
    ...(unit !== undefined && { unit: visible(unit) }),
    ...(measure !== undefined && { measure: visible(measure) }),
    stance,
    confidence,
    flags: [...sourceFlags(source, context.task.asOf), ...flags],
    ...(critical && { critical }),
    ...(source && { source }),
    ...(typeof path === 'string' && { path }),
    ...(data !== undefined && { data: data as Data }), // of the declared shape: the answer's schema holds it
  };
}

function sourceFlags(source: Source | undefined, asOf: string | undefined): string[] {
  if (!source) return [UNSOURCED];
  return asOf !== undefined && source.asOf === undefined ? [UNDATED] : [];
}

type Judged = { critical?: Critical; flags: string[] };

async function judged({ critical, sources }: Answered, judging: Judging): Promise<Judged> {
  if (!critical) return { flags: [] };
  const { definition, context } = judging;
  const rule = definition.critical.find((one) => one.rule === critical.rule);
  const why = rule ? await refusalOf(rule, sources, judging) : 'its definition has no such rule';
  if (why === undefined) return { critical: { rule: critical.rule, reason: visible(critical.reason) }, flags: [] };
  context.alert(
    `was not let call a finding critical by ${JSON.stringify(visible(critical.rule).slice(0, 64))}: ${why}`,
  );
  return { flags: [CRITICAL_REFUSED] };
}

const CORROBORATION = 2;

/** Why a rule of the definition's own does not hold; undefined when it does. */
async function refusalOf(
  rule: CriticalRule,
  sources: readonly string[],
  judging: Judging,
): Promise<string | undefined> {
  const { evidence, context } = judging;
  const { series, above = -Infinity, below = Infinity } = rule;
  if (series === undefined) {
    const places = new Set(sources.flatMap((origin) => evidence.placeOf(origin) ?? []));
    return places.size < CORROBORATION
      ? `it takes sources of ${CORROBORATION} different places, and has ${places.size}`
      : undefined;
  }
  if (!evidence.sourceOf(series)) return `it has not read ${series}`;
  const { value } = (await context.sources.series(series)).last;
  const holds = value > above && value < below;
  return holds
    ? undefined
    : `the last value of ${series} is ${value}, which is not ${Number.isFinite(above) ? `above ${above}` : `below ${below}`}`;
}
