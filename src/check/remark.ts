/** What a check says about a scenario, and the form of a rule that says it. */
import type { Facts } from './facts.ts';

export type RuleId =
  | 'hidden-dependency'
  | 'undeclared-source'
  | 'names-another-agent'
  | 'needless-sequence'
  | 'unread-source'
  | 'missing-verification'
  | 'strongest-model'
  | 'deeper-than-limit'
  | 'deadline-too-short'
  | 'overcommitted-budget'
  | 'flat-heap'
  | 'tier-too-wide'
  | 'single-child-tier'
  | 'tier-not-worth-it'
  | 'early-synthesis';
/** `error`: every run goes wrong there. `warning`: hardly meant so. `note`: worth a thought, and may be right as it is. */
export type Severity = 'error' | 'warning' | 'note';
export const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note'];

/** What a check has to say about one node. */
export type Remark = {
  rule: RuleId;
  severity: Severity;
  path: string;
  /** One line: what is so, and what to do about it. */
  message: string;
};
export type Sighting = Pick<Remark, 'path' | 'message'>;
export type Rule = {
  readonly id: RuleId;
  readonly severity: Severity;
  /** What it finds, and what to do about it: a row of docs/guides/checking.md. */
  readonly when: string;
  readonly remedy: string;
  /** Pure: of the facts alone. */
  readonly look: (facts: Facts) => readonly Sighting[];
};

const SHOWN = 4;
/** `"a", "b" and 3 more`, for messages. */
export function quoted(names: readonly string[]): string {
  const all = names.map((name) => `"${name}"`);
  const shown = all.length > SHOWN ? [...all.slice(0, SHOWN - 1), `${all.length - SHOWN + 1} more`] : all;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
