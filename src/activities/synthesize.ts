/** The scenario's own synthesizer where it has one, else the deterministic synthesis. */
import { deterministicSynthesis } from '../analytics/deterministic-synthesis.ts';
import type { Io, SynthesizeInput } from '../ports/activities.ts';
import { deepFreeze } from '../protocol/freeze.ts';
import type { Entry } from './registry.ts';

export async function synthesize(input: SynthesizeInput, io: Io, { definition }: Entry): Promise<unknown> {
  const { task, decision, ended, fault } = input;
  const own = definition.kind === 'leaf' ? undefined : definition.synthesize;
  if (!own) return deterministicSynthesis({ task, decision, ended });
  const { abortSignal } = io;
  const given = deepFreeze({ task, decision, children: ended, ...(fault && { fault }) }); // the reports are the node's own
  const answer = await own({ ...given, abortSignal });
  // Only the deterministic synthesis may call itself that.
  return typeof answer === 'object' && answer !== null ? { ...answer, madeBy: 'synthesis' } : answer;
}
