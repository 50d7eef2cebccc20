/**
 * Children of the caller's own logic: whatever they say or end with is parsed, not believed.
 *  1. Nothing here throws, whatever a guest sends.
 *  2. A guest's finding gets an id of our minting, under the guest's own path, and is reported once in its name.
 */
import { Finding } from '../../protocol/finding.ts';
import { UnsealedOutcome } from '../../protocol/report.ts';
import { readAnswer, type Answer } from '../../tier/answer.ts';
import { adopt, MISATTRIBUTED, type Said } from '../../tier/minting.ts';
import type { Host } from './host.ts';

/** `known`: what the guest has said so far. It is added to. */
export type Guest = { readonly path: string; readonly known: Said };
type Emit = Host['emit'];

function adoptAll({ path, known }: Guest, findings: readonly Finding[], emit: Emit): Finding[] {
  return findings.map((one) => {
    const { finding, isNew } = adopt(path, one, known);
    if (isNew) emit({ type: 'finding.reported', path: finding.path, finding });
    if (isNew && finding.flags.includes(MISATTRIBUTED)) {
      const message = `${one.id} of ${one.path} was sent by ${path}; it stands as ${finding.id}`;
      emit({ type: 'integrity.alert', path, kind: 'misattributed', message });
    }
    return finding;
  });
}

/** The findings in a live message; whatever else is in it is left out. */
export function findingsOfGuest(guest: Guest, message: unknown, emit: Emit): Finding[] {
  const list = Array.isArray(message) ? (message as unknown[]) : [];
  return adoptAll(
    guest,
    list.flatMap((one) => valueOf(readAnswer(Finding, one)) ?? []),
    emit,
  );
}

/** What a guest ended with, made safe; a text that no join takes for an outcome when it is none. */
export function outcomeOfGuest(guest: Guest, output: unknown, emit: Emit): unknown {
  if (output === undefined || output === null) return output;
  const outcome = valueOf(readAnswer(UnsealedOutcome, output));
  if (!outcome) return 'unreadable';
  const body = outcome.kind === 'report' ? outcome : outcome.partial;
  if (!body) return outcome;
  const said = adoptAll(guest, [...body.findings, ...body.escalations], emit);
  const findings = [...new Set(said)];
  const adopted = { ...body, findings, escalations: findings.filter((finding) => finding.critical) };
  return outcome.kind === 'report' ? adopted : { ...outcome, partial: adopted };
}

const valueOf = <T>(answer: Answer<T>): T | undefined => ('value' in answer ? answer.value : undefined);
