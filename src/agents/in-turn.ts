/** Leaves one after another, in one: what a domain of agents does with its depth spent. */
import type { Leaf, LeafContext, LeafRun } from '../define/spec.ts';
import type { FindingDraft } from '../protocol/finding.ts';
import type { GapDraft } from '../protocol/gap.ts';
import { faultOf } from '../tier/fault.ts';

/**
 * For a domain's `execute`. Each leaf is asked its own question, with what the domain may read and call; one that fails
 * is a gap, and silences no other. Keys begin with the name of the leaf.
 * @example defineDomain({ …, children: agents, execute: inTurn(agents) })
 */
export const inTurn =
  (leaves: readonly Leaf[]): LeafRun =>
  async (context) => {
    const answers: (FindingDraft | GapDraft)[] = [];
    for (const leaf of leaves) answers.push(...(await answersOf(leaf, context)));
    return answers;
  };

async function answersOf(leaf: Leaf, context: LeafContext): Promise<(FindingDraft | GapDraft)[]> {
  const { name, question = context.task.question } = leaf;
  try {
    const result = await leaf.run({ ...context, task: { ...context.task, question } });
    const drafts = (Array.isArray(result) ? result : [result]) as (FindingDraft | GapDraft)[];
    return drafts.map((draft, i) =>
      'gap' in draft ? { ...draft, child: name } : { ...draft, key: `${name}.${draft.key ?? i}` },
    );
  } catch (error) {
    context.abortSignal.throwIfAborted();
    return [{ gap: 'undone', why: faultOf(error).message, child: name }];
  }
}
