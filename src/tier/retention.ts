/**
 * Measures what a synthesis passed up, by what stands in the report and not by what the synthesis says of itself.
 *  1. kept + merged + dropped = incoming: every finding that came in is counted once.
 *  2. The cost is linear in the findings, a sort of their numbers aside.
 */
import { recomputes } from '../analytics/derived.ts';
import {
  knownNumbers,
  numberKey,
  numberOf,
  numbersIn,
  splitCitations,
  type NumberInText,
} from '../analytics/numbers.ts';
import { canonicalJson } from '../protocol/digest.ts';
import { weightOf, type Finding } from '../protocol/finding.ts';
import type { Retention } from '../protocol/retention.ts';
import type { Derived, Disposition } from '../protocol/synthesis.ts';

export type RetentionInput = {
  readonly incoming: readonly Finding[];
  /** The critical findings as the children sent them: what `escalations` is held against. */
  readonly incomingCriticals: readonly Finding[];
  /** The findings of the report; merged ones name theirs in `from`. */
  readonly kept: readonly Finding[];
  readonly escalations: readonly Finding[];
  readonly narrative: string;
  /** Consulted only for a finding that the report holds both as itself and in a merged one. */
  readonly dispositions: readonly Disposition[];
  readonly derived: readonly Derived[];
  /** Texts of the task (question, charter, as-of date): a number in them came in too. */
  readonly given?: readonly string[];
};

/** The retention of one synthesis; see `Retention` for what each figure means. Nothing came in: nothing was lost. */
export function measureRetention(input: RetentionInput): Retention {
  const incoming = uniqueById([...input.incoming]);
  const prose = splitCitations(input.narrative).prose;
  const figures = readingOnce(figuresOf);
  const findings = [...input.incomingCriticals, ...incoming.values()];
  const { kept, merged, dropped, recall } = passedUp(incoming, input);
  return {
    dropped,
    incoming: incoming.size,
    kept,
    merged,
    numbersFabricated: inventedIn(prose, { ...input, findings }, figures).length,
    numbersKept: numbersKept(incoming, input, prose, figures),
    recall,
    verbatim: verbatimShare(input.incomingCriticals, input.escalations),
  };
}

function passedUp(
  incoming: ReadonlyMap<string, Finding>,
  { kept, dispositions }: RetentionInput,
): Pick<Retention, 'kept' | 'merged' | 'dropped' | 'recall'> {
  const asItself = uniqueById(kept);
  const asPart = new Map(kept.flatMap((finding) => (finding.from ?? []).map((id) => [id, finding])));
  const saidMerged = new Set(dispositions.flatMap(({ id, as }) => (as === 'merged' ? id : [])));
  const count = { kept: 0, merged: 0, dropped: 0 };
  let [total, passed] = [0, 0];
  for (const finding of incoming.values()) {
    const { id } = finding;
    const [itself, merged] = [asItself.get(id), asPart.get(id)];
    const isPart = merged !== undefined && (itself === undefined || saidMerged.has(id));
    const holder = isPart ? merged : itself;
    count[isPart ? 'merged' : itself ? 'kept' : 'dropped']++;
    const weight = weightOf(finding);
    total += weight;
    if (holder && Math.sign(holder.stance) === Math.sign(finding.stance)) passed += weight;
  }
  return { ...count, recall: share(passed, total) };
}

function verbatimShare(criticals: readonly Finding[], escalations: readonly Finding[]): number {
  const standing = new Set(escalations);
  const byId = Map.groupBy(escalations, (finding) => finding.id);
  const stands = (critical: Finding): boolean => {
    // the same object is the same bytes, and is the normal case; only copies are worth the canonical JSON
    if (standing.has(critical)) return true;
    const bytes = canonicalJson(critical);
    return byId.get(critical.id)?.some((escalation) => canonicalJson(escalation) === bytes) ?? false;
  };
  return share(criticals.filter(stands).length, criticals.length);
}

type Figures = (finding: Finding) => readonly NumberInText[];
/** Most findings are asked for their figures several times: as incoming, as kept, and as known to a reader. */
function readingOnce(read: Figures): Figures {
  const known = new Map<Finding, readonly NumberInText[]>();
  return (finding) => {
    let figures = known.get(finding);
    if (!figures) known.set(finding, (figures = read(finding)));
    return figures;
  };
}

function numbersKept(
  incoming: ReadonlyMap<string, Finding>,
  input: RetentionInput,
  prose: string,
  figures: Figures,
): number {
  const held = new Set([...input.kept, ...input.escalations].flatMap(figures).concat(numbersIn(prose)).map(numberKey));
  const cameIn = new Set([...incoming.values()].flatMap(figures).map(numberKey));
  return share([...cameIn].filter((key) => held.has(key)).length, cameIn.size);
}

type Claims = Pick<RetentionInput, 'narrative' | 'derived' | 'given'> & { readonly findings: Iterable<Finding> };

/** The numbers in a narrative that neither an input nor a declared derivation gives. */
export function inventedNumbers({ narrative, derived, given = [], findings }: Claims): NumberInText[] {
  return inventedIn(splitCitations(narrative).prose, { derived, given, findings }, figuresOf);
}

function inventedIn(
  prose: string,
  { derived, given = [], findings }: Omit<Claims, 'narrative'>,
  figures: Figures,
): NumberInText[] {
  const claimed = numbersIn(prose);
  if (claimed.length === 0) return claimed;
  const known = uniqueById([...findings]);
  const isKnown = knownNumbers([
    ...[...known.values()].flatMap((finding) => [...figures(finding), ...furtherNumbersOf(finding)]),
    ...derived.filter((one) => recomputes(one, known)).map((one) => numberOf(one.value)),
    ...given.flatMap(numbersIn),
  ]);
  return claimed.filter((number) => !isKnown(number));
}

/** The numbers a finding is there to report. */
const figuresOf = ({ statement, value }: Finding): NumberInText[] => [
  ...(value === undefined ? [] : [numberOf(value)]),
  ...numbersIn(statement),
];

/** The other numbers that a reader of the finding has seen, those of its data and date included. */
function furtherNumbersOf({ unit, measure, critical, source, data }: Finding): NumberInText[] {
  const texts = [unit, measure, critical?.rule, critical?.reason, source.asOf].filter((text) => text !== undefined);
  return [...texts.flatMap(numbersIn), ...numbersInside(data)];
}

function numbersInside(data: unknown): NumberInText[] {
  if (typeof data === 'number') return [numberOf(data)];
  if (typeof data === 'string') return numbersIn(data);
  return typeof data === 'object' && data !== null ? Object.values(data).flatMap(numbersInside) : [];
}

const share = (part: number, whole: number): number => (whole > 0 ? Math.min(1, part / whole) : 1);

const uniqueById = (findings: readonly Finding[]): Map<string, Finding> =>
  new Map(findings.map((finding) => [finding.id, finding]));
