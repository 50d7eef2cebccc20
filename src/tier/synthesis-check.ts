/** Whether a synthesis keeps books: schema, citations, derivations, and no number that nobody gave it. Pure. */
import { recomputes } from '../analytics/derived.ts';
import { splitCitations, type NumberInText } from '../analytics/numbers.ts';
import type { Ended } from '../ports/activities.ts';
import type { Finding } from '../protocol/finding.ts';
import { NONE } from '../protocol/freeze.ts';
import type { Outcome, UnsealedReport } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import { Synthesis } from '../protocol/synthesis.ts';
import type { Task } from '../protocol/task.ts';
import { readAnswer } from './answer.ts';
import { inventedNumbers } from './retention.ts';

/** The report of a child, or what it left behind. */
export const bodyOf = (outcome: Outcome): UnsealedReport | undefined =>
  outcome.kind === 'report' ? outcome : outcome.partial;

/** Every finding that came in, in declared order of the children. */
export const incomingOf = (ended: readonly Ended[]): Finding[] =>
  ended.flatMap(({ outcome }) => bodyOf(outcome)?.findings ?? []);

export type Checked = { synthesis: Synthesis } | { fault: Fault };

/** What a synthesis may speak of besides its findings: the texts of its task, and what its children said of themselves. */
export function givenTo({ question, charter, asOf = '' }: Task, ended: readonly Ended[]): string[] {
  return [question, charter, asOf, `${ended.length}`, ...ended.flatMap(({ outcome }) => saidOfItself(outcome))];
}

/** Figures of a child that are no findings of it: its balance, what it derived, and what it wrote. */
function saidOfItself(outcome: Outcome): string[] {
  const body = bodyOf(outcome);
  if (!body || body.madeBy === 'leaf') return NONE; // of which there may be thousands
  const { narrative, conflicts, relations, derived, assessment } = body;
  const figures = derived.map(({ value }) => value);
  if (assessment) {
    const { logOdds, coverage, dissent, conviction = 0, votes } = assessment;
    figures.push(logOdds, coverage, dissent, conviction, ...Object.values(votes));
  }
  const texts = [...conflicts, ...relations].map(({ statement }) => statement);
  return [figures.join(' '), splitCitations(narrative).prose, ...texts];
}

export function checkSynthesis(answer: unknown, { task, ended }: { task: Task; ended: readonly Ended[] }): Checked {
  const read = readAnswer(Synthesis, answer);
  if (!('value' in read)) return invalid(`the synthesis has the wrong shape: ${read.why}`);
  const synthesis = read.value;
  const byId = new Map(incomingOf(ended).map((finding) => [finding.id, finding]));
  const paths = new Set(ended.map(({ outcome }) => outcome.path));
  for (const id of citedIds(synthesis)) {
    if (!byId.has(id)) return invalid(`the synthesis cites "${id}", which nobody reported`);
  }
  for (const path of synthesis.relations.flatMap((relation) => relation.between)) {
    if (!paths.has(path)) return invalid(`the synthesis relates "${path}", which is not one of its children`);
  }
  const keys = new Set<string>();
  for (const { key } of synthesis.merges) {
    if (keys.has(key)) return invalid(`the synthesis defines the merge "${key}" twice`);
    keys.add(key);
  }
  const mergedInto = new Map<string, string | undefined>();
  for (const disposition of synthesis.dispositions) {
    const { id } = disposition;
    if (mergedInto.has(id)) return invalid(`the synthesis disposes of "${id}" twice`);
    mergedInto.set(id, disposition.as === 'merged' ? disposition.into : undefined);
    if (disposition.as === 'merged' && !keys.has(disposition.into)) {
      return invalid(`the synthesis merges "${id}" into "${disposition.into}", which it does not define`);
    }
  }
  const stray = synthesis.merges.find(({ key, lead }) => mergedInto.get(lead) !== key);
  if (stray) return invalid(`the merge "${stray.key}" is led by "${stray.lead}", which is not merged into it`);
  const wrong = synthesis.derived.find((derived) => !recomputes(derived, byId));
  if (wrong) return invalid(`the synthesis derives ${wrong.value} as a ${wrong.op}, which does not recompute`);
  // The deterministic synthesis computes its figures, and is measured like any other.
  if (synthesis.madeBy === 'deterministic') return { synthesis };
  const narrative = proseOf(synthesis);
  const findings = ended.flatMap(({ outcome }) => {
    const body = bodyOf(outcome);
    return body ? [...body.findings, ...body.escalations] : [];
  });
  const [invented] = inventedNumbers({ narrative, derived: synthesis.derived, given: givenTo(task, ended), findings });
  if (invented) {
    return invalid(
      `the synthesis says ${shownNumber(invented)}, which is in none of its inputs; declare in derived how it recomputes`,
    );
  }
  return { synthesis };
}

/** All that it says in words of its own, gaps aside: what is lacking is in no input. */
const proseOf = ({ narrative, merges, conflicts, relations }: Synthesis): string =>
  [narrative, ...[...merges, ...conflicts, ...relations].map(({ statement }) => statement)].join('\n');

const shownNumber = (number: NumberInText): string =>
  number.kind === 'date' ? number.date : `${number.sign}${Math.abs(number.value)}${number.percent ? ' %' : ''}`;

function* citedIds(synthesis: Synthesis): Iterable<string> {
  for (const { id } of synthesis.dispositions) yield id;
  for (const { lead } of synthesis.merges) yield lead;
  for (const { from } of synthesis.derived) yield* from;
  for (const { supports, against } of synthesis.conflicts) yield* [...supports.findings, ...against.findings];
  for (const { lead, findings } of synthesis.assessment?.risks ?? []) yield* [lead, ...findings];
  for (const { findings } of synthesis.assessment?.patterns ?? []) yield* findings;
  yield* splitCitations(synthesis.madeBy === 'deterministic' ? synthesis.narrative : proseOf(synthesis)).cited;
}
const invalid = (message: string): Checked => ({ fault: { status: 'invalid', message } });
