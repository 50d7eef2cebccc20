/** Whether a synthesis keeps books: schema, citations, derivations. Pure. Numbers it made up are measured, not refused. */
import { recomputes } from '../analytics/derived.ts';
import { splitCitations } from '../analytics/numbers.ts';
import type { Ended } from '../ports/activities.ts';
import type { Finding } from '../protocol/finding.ts';
import type { Outcome, UnsealedReport } from '../protocol/report.ts';
import type { Fault } from '../protocol/fault.ts';
import { Synthesis } from '../protocol/synthesis.ts';
import { readAnswer } from './answer.ts';

/** The report of a child, or what it left behind. */
export const bodyOf = (outcome: Outcome): UnsealedReport | undefined =>
  outcome.kind === 'report' ? outcome : outcome.partial;

/** Every finding that came in, in declared order of the children. */
export const incomingOf = (ended: readonly Ended[]): Finding[] =>
  ended.flatMap(({ outcome }) => bodyOf(outcome)?.findings ?? []);

export type Checked = { synthesis: Synthesis } | { fault: Fault };

export function checkSynthesis(answer: unknown, ended: readonly Ended[]): Checked {
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
  return { synthesis };
}

function* citedIds(synthesis: Synthesis): Iterable<string> {
  for (const { id } of synthesis.dispositions) yield id;
  for (const { lead } of synthesis.merges) yield lead;
  for (const { from } of synthesis.derived) yield* from;
  for (const { supports, against } of synthesis.conflicts) yield* [...supports.findings, ...against.findings];
  for (const { lead, findings } of synthesis.assessment?.risks ?? []) yield* [lead, ...findings];
  for (const { findings } of synthesis.assessment?.patterns ?? []) yield* findings;
  yield* splitCitations(synthesis.narrative).cited;
}
const invalid = (message: string): Checked => ({ fault: { status: 'invalid', message } });
