/** Whether a plan's answer can stand: alone, and as a further round of one that was decided before. Pure. */
import { Decision } from '../protocol/decision.ts';
import type { Fault } from '../protocol/fault.ts';
import type { Grant } from '../protocol/grant.ts';
import type { Task } from '../protocol/task.ts';
import { readAnswer } from './answer.ts';
import { NO_DECISION } from './report.ts';

type Deciding = { readonly task: Task; readonly decision: Decision | undefined };

/** Three further rounds, and one that says why there is no fourth. */
const MOST_ROUNDS = 5;
export const roundAfter = (decision: Decision | undefined): number => (decision?.round ?? 1) + 1;
export const mayAskAgain = (decision: Decision | undefined): boolean =>
  decision?.mayGrow === true && roundAfter(decision) <= MOST_ROUNDS;

/** What a further round answers, if it leaves standing what was decided before. */
export function grown(context: Deciding, answer: unknown): Decision {
  const before = context.decision ?? NO_DECISION;
  const read = readAnswer(Decision, answer);
  if (!('value' in read)) return notGrown(context, `the plan has the wrong shape: ${read.why}`);
  const after = read.value;
  const more = after.stages.length - before.stages.length;
  const namesOf = ({ stages }: Decision) =>
    JSON.stringify(stages.slice(0, before.stages.length).map((stage) => stage.map(({ name }) => name)));
  if (after.mode !== before.mode || more < 0 || more > 1 || namesOf(after) !== namesOf(before)) {
    return notGrown(context, 'the plan changes what was decided before');
  }
  const fault = needsFault(after) ?? widthFault(after, context.task.grant);
  if (fault) return notGrown(context, fault.message);
  if (more === 0) {
    const { mayGrow: _, ...closed } = after;
    return closed;
  }
  return { ...after, round: roundAfter(before) };
}
export function notGrown({ decision }: Deciding, why: string): Decision {
  const { mayGrow: _, ...closed } = decision ?? NO_DECISION;
  return { ...closed, reasons: [...(closed.reasons ?? []), `round ${roundAfter(decision)} refused: ${why}`] };
}

/** A stage may only need what an earlier one brings. */
export function needsFault(decision: Decision): Fault | undefined {
  const earlier = new Set<string>();
  for (const stage of decision.stages) {
    for (const { name, needs } of stage) {
      const missing = needs?.find((need) => !earlier.has(need));
      if (missing !== undefined) {
        return {
          status: 'invalid',
          message: `the plan lets "${name}" need "${missing}", which no earlier stage holds`,
        };
      }
    }
    for (const { name } of stage) earlier.add(name);
  }
  return undefined;
}

export function widthFault(decision: Decision, { maxChildren }: Grant): Fault | undefined {
  const width = decision.stages.flat().length;
  if (width <= maxChildren) return undefined;
  return { status: 'refused', message: `the plan has ${width} children, the grant allows ${maxChildren}` };
}
