/**
 * Follows what was said from the leaves to the brief.
 *  1. Every outcome has the digest it says, and its children ended with the digests that it names.
 *  2. A finding passes up as it was said, byte for byte; a merged one from where it was merged.
 *  3. A critical finding stands in the outcome of every node that it passed, until it is taken back.
 * Keeps an id and a hash of each finding and each outcome, no bodies.
 */
import { canonicalJson, digestOf, sha256 } from '../../protocol/digest.ts';
import type { Finding } from '../../protocol/finding.ts';
import { isWithin, ROOT } from '../../protocol/path.ts';
import type { Outcome, Report } from '../../protocol/report.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { bodyOf } from '../../tier/synthesis-check.ts';
import type { Problems } from './problems.ts';
import { findingHash, standingCriticals } from './standing-criticals.ts';

export type UpwardCheck = {
  apply(event: RunEvent): void;
  /** Nodes that ended, findings and critical findings that were followed. */
  counts(): { nodes: number; findings: number; criticals: number };
};
type Ended = { digest: string; status: string; sha256: string | undefined };

/** `inDoubt`: nodes of which something was altered; what follows from that is not said again. */
export function createUpwardCheck(runId: string, problems: Problems, inDoubt: ReadonlySet<string>): UpwardCheck {
  const said = new Map<string, string>();
  /** Escalated before they were said to be reported: in the same turn a critical finding is sent up first. */
  const ahead = new Map<string, { path: string; sha256: string; seq: number }>();
  const ends = new Map<string, Ended>();
  const criticals = standingCriticals();

  const isKnown = (id: string): boolean => said.has(id) || inDoubt.has(id.slice(0, id.lastIndexOf('#')));
  const isAsSaid = (finding: Finding): boolean => {
    const known = said.get(finding.id);
    return known === undefined ? inDoubt.has(finding.path) : known === findingHash(finding);
  };

  const followUp = (path: string, body: Pick<Report, 'findings' | 'escalations'> | undefined, seq: number): void => {
    const wrong = (what: string): unknown => problems.add(path, what, seq);
    const passed = new Set<string>();
    for (const finding of body?.findings ?? []) {
      const { id, from } = finding;
      if (from && finding.path === path) {
        const stranger = from.find((part) => !isKnown(part));
        if (stranger !== undefined) wrong(`its finding ${id} is merged from ${stranger}, which nobody reported`);
        said.set(id, findingHash(finding));
      } else if (!isAsSaid(finding)) wrong(`the finding ${id} in its report is not as it was reported`);
      else if (!isWithin(finding.path, path)) wrong(`the finding ${id} in its report is of another part of the tree`);
      else if (finding.critical) passed.add(id);
    }
    const escalated = new Set<string>();
    for (const finding of body?.escalations ?? []) {
      const { id } = finding;
      if (!finding.critical) wrong(`the finding ${id} is among its escalations and is not critical`);
      else if (!isAsSaid(finding)) wrong(`the critical finding ${id} in its escalations is not as it was reported`);
      escalated.add(id);
    }
    for (const { finding } of criticals.under(path)) {
      const { id } = finding;
      if (!escalated.has(id)) wrong(`the critical finding ${id} is missing from its escalations`);
      else if (!passed.has(id)) wrong(`the critical finding ${id} is missing from its findings`);
    }
    for (const id of passed) {
      if (!escalated.has(id)) wrong(`the critical finding ${id} in its report was not escalated`);
    }
  };
  const end = (path: string, outcome: Outcome, seq: number): void => {
    const wrong = (what: string): unknown => problems.add(path, what, seq);
    const { digest, status, kind } = outcome;
    const body = bodyOf(outcome);
    const partial = kind === 'failure' ? outcome.partial : undefined;
    if (outcome.path !== path || (body && body.path !== path)) wrong(`its end is of ${body?.path ?? outcome.path}`);
    if (outcome.runId !== runId || (body && body.runId !== runId)) wrong('its end is of another run');
    if (digestOf(outcome) !== digest) wrong('its digest is not that of what it ended with');
    if (partial && digestOf(partial) !== partial.digest) wrong('the digest of its partial report is not that of it');
    for (const child of body?.children ?? []) {
      const ended = ends.get(child.path);
      if (inDoubt.has(child.path)) continue;
      if (!ended) wrong(`its child ${child.path} never ended`);
      else if (ended.digest !== child.digest || ended.status !== child.status) {
        wrong(`its child ${child.path} did not end with what it was given`);
      }
    }
    followUp(path, body, seq);
    ends.set(path, { digest, status, sha256: kind === 'report' ? sha256(canonicalJson(outcome)) : undefined });
  };
  const complete = ({ status, digest, sha256, seq }: RunEvent & { type: 'run.completed' }): void => {
    for (const [id, one] of ahead) {
      if (!inDoubt.has(one.path))
        problems.add(one.path, `the critical finding ${id} was not escalated as it was reported`, one.seq);
    }
    const root = ends.get(ROOT);
    if (inDoubt.has(ROOT)) return;
    if (!root) problems.add(ROOT, 'the run completed without its report', seq);
    else if (root.sha256 === undefined) return; // it died: the brief was made of what it left
    else if (root.digest !== digest || root.sha256 !== sha256 || root.status !== status) {
      problems.add(ROOT, 'the run did not complete with its report', seq);
    }
  };
  const hear = (finding: Finding, { path, seq }: RunEvent): void => {
    const own = findingHash(finding);
    if (finding.path !== path || !finding.id.startsWith(`${path}#`)) {
      problems.add(path, `it reported the finding ${finding.id}, which is not its own`, seq);
    }
    said.set(finding.id, own);
    if (ahead.get(finding.id)?.sha256 === own) ahead.delete(finding.id);
  };

  const escalate = (finding: Finding, { path, seq }: RunEvent): void => {
    const { id } = finding;
    if (!said.has(id) || !isAsSaid(finding)) ahead.set(id, { path, sha256: findingHash(finding), seq });
  };

  return {
    apply(event) {
      criticals.apply(event);
      const { path, seq } = event;
      switch (event.type) {
        case 'finding.reported':
          hear(event.finding, event);
          break;
        case 'finding.escalated':
          escalate(event.finding, event);
          break;
        case 'node.reported':
          end(path, event.report, seq);
          break;
        case 'node.failed':
          end(path, event.token, seq);
          break;
        case 'synthesis.interim': // ends nothing, and nothing is made of it
          if (event.report && digestOf(event.report) !== event.report.digest) {
            problems.add(path, 'the digest of an interim report is not that of it', seq);
          }
          break;
        case 'node.reused':
          if (ends.get(path)?.digest !== event.digest && !inDoubt.has(path)) {
            problems.add(path, 'what it was reused with is not what it had ended with', seq);
          }
          break;
        case 'run.started':
          ahead.clear(); // the process ended between the two
          break;
        case 'run.completed':
          complete(event);
          break;
        default:
      }
    },
    counts: () => ({ nodes: ends.size, findings: said.size, criticals: criticals.size }),
  };
}
