/** The scenario's own synthesizer where it has one, else the deterministic synthesis. */
import { deterministicSynthesis } from '../analytics/deterministic-synthesis.ts';
import type { Io, SynthesizeInput } from '../ports/activities.ts';
import { deepFreeze } from '../protocol/freeze.ts';
import { bodyOf } from '../tier/synthesis-check.ts';
import type { Artifacts } from '../ports/artifacts.ts';
import { artifactReader } from './artifact-shelf.ts';
import { modelFor, type Asking } from './ask-model.ts';
import type { Entry } from './registry.ts';

export type SynthesizeWith = { entry: Entry; artifacts: Artifacts; asking: Asking | undefined };

export async function synthesize(input: SynthesizeInput, io: Io, given: SynthesizeWith): Promise<unknown> {
  const { definition } = given.entry;
  const { task, decision, ended, fault } = input;
  const own = definition.kind === 'leaf' ? undefined : definition.synthesize;
  if (!own) return deterministicSynthesis({ task, decision, ended });
  const { abortSignal, budget } = io;
  const shown = deepFreeze({ task, decision, children: ended, ...(fault && { fault }) }); // the reports are the node's own
  const bodies = ended.map(({ outcome }) => bodyOf(outcome)).filter((body) => body !== undefined);
  const model = modelFor(given.asking, {
    path: task.path,
    deadline: task.grant.deadline,
    work: 'synthesis',
    io,
    pools: [],
    isAttempt: false,
    lessons: fault ? [fault.message] : [],
  });
  const artifacts = artifactReader(given.artifacts, bodies);
  const answer = await own({ ...shown, artifacts, abortSignal, budget, model });
  // Only the deterministic synthesis may call itself that.
  return typeof answer === 'object' && answer !== null ? { ...answer, madeBy: 'synthesis' } : answer;
}
