import type { Finding } from '../protocol/finding.ts';
import { NONE } from '../protocol/freeze.ts';
import type { UnsealedReport } from '../protocol/report.ts';

type Ended = Pick<UnsealedReport, 'path' | 'madeBy' | 'findings'>;

/**
 * Ids of what a node that worked as a leaf has said live and taken back: its report does not hold it, because the attempt
 * failed that said it, or was outrun. Nobody takes back what is critical. `said`: by it, or by it and others.
 */
export function retractedBy({ path, madeBy, findings }: Ended, said: ReadonlyMap<string, Finding>): readonly string[] {
  if (madeBy !== 'leaf') return NONE;
  if (said.size <= findings.length) return NONE; // all that was said is in it
  const kept = new Set(findings.map(({ id }) => id));
  return [...said.values()].flatMap((one) => (one.path !== path || one.critical || kept.has(one.id) ? [] : one.id));
}
