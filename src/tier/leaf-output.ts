/** What can be read of what an author's code said or returned. It is parsed, not believed. Pure. */
import type { z } from 'zod';
import type { Fault } from '../protocol/fault.ts';
import { FindingDraft } from '../protocol/finding.ts';
import { NONE } from '../protocol/freeze.ts';
import { GapDraft, type Gap } from '../protocol/gap.ts';
import { childPath } from '../protocol/path.ts';
import { readAnswer, unreadable, type Answer } from './answer.ts';

export type Draft = z.output<typeof FindingDraft>;

/** What can be read of an attempt's output, and the first thing that cannot. */
export function readOutput(
  path: string,
  output: unknown,
): { findings: Draft[]; gaps: Gap[]; fault: Fault | undefined } {
  const drafts: readonly unknown[] = Array.isArray(output) ? output : [output];
  const findings: Draft[] = [];
  let gaps: Gap[] = NONE;
  let fault: Fault | undefined;
  for (let index = 0; index < drafts.length; index++) {
    const name = drafts.length > 1 ? `result ${index + 1} of ${drafts.length}` : 'the result';
    const read = readResult(drafts, index);
    if (!('value' in read)) fault ??= invalid(name, read);
    else if ('statement' in read.value) findings.push(read.value);
    else {
      const { child, gap, why } = read.value;
      if (gaps === NONE) gaps = [];
      gaps.push({ kind: gap, path: child === undefined ? path : childPath(path, child), why });
    }
  }
  return { findings, gaps, fault };
}

/** A draft that has a `gap` is read as one, any other as a finding. */
function readResult(drafts: readonly unknown[], index: number): Answer<Draft> | Answer<GapDraft> {
  try {
    const draft = drafts[index];
    return has(draft, 'gap') ? readAnswer(GapDraft, draft) : readDraft(draft);
  } catch (error) {
    return unreadable(error);
  }
}

/** Most drafts have no `data`. It is recursive, and whatever may hold it zod keeps account of, to find cycles. */
const DraftWithoutData = FindingDraft.omit({ data: true });
export function readDraft(draft: unknown): Answer<Draft> {
  try {
    return readAnswer<Draft>(has(draft, 'data') ? FindingDraft : DraftWithoutData, draft);
  } catch (error) {
    return unreadable(error);
  }
}
/** Whether it can be read, and is critical. */
export function isCriticalDraft(draft: unknown): boolean {
  const read = readDraft(draft);
  return 'value' in read && read.value.critical !== undefined;
}
const has = (draft: unknown, key: string): boolean => typeof draft === 'object' && draft !== null && key in draft;

export const invalid = (what: string, { why }: { why: string }): Fault => ({
  status: 'invalid',
  message: `${what} is not a finding: ${why}`,
  diagnosis: 'invalid-output',
});
