/** What a stored run remembers of the command line that started it, so that it can be resumed from anywhere. */
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Origin, StoredRun } from '../ports/store.ts';
import { Budget } from '../protocol/grant.ts';
import { misuse } from './misuse.ts';
import type { ScenarioFlags } from './options.ts';
import type { Elsewhere } from './restate-peer.ts';

export type CommandOrigin = {
  /** The scenario file. */
  file: string;
  /** The folder of the run's files. */
  out: string;
  /** What the scenario was loaded with. */
  flags: ScenarioFlags;
  /** That performs it, when one does. */
  server?: Elsewhere | undefined;
};

/** All paths become absolute. */
export const originOf = ({ file, out, flags, server }: CommandOrigin): Origin => ({
  file: resolve(file),
  out: resolve(out),
  ...server,
  flags: JSON.stringify({ ...flags, ...(flags.data !== undefined && { data: resolve(flags.data) }) }),
});

const Flags = z.object({
  asOf: z.string().exactOptional(),
  thesis: z.string().exactOptional(),
  maxDepth: z.int().exactOptional(),
  concurrency: z.int().exactOptional(),
  budget: Budget.exactOptional(),
  domains: z.array(z.string()).exactOptional(),
  deadline: z.number().exactOptional(),
  data: z.string().exactOptional(),
  synthesis: z.literal('incremental').exactOptional(),
  policy: z.enum(['fast', 'mixed', 'deep']).exactOptional(),
});

/** @throws EspalierError `invalid-input` when the run was not started from the command line */
export function readOrigin({ runId, origin }: StoredRun): CommandOrigin {
  const { file, out, flags, ingress, artifacts } = origin;
  const read = Flags.safeParse(parsed(flags));
  if (file === undefined || out === undefined || !read.success) {
    throw misuse(`Run ${runId} was not started from the command line. Resume it from the program that started it.`);
  }
  const server = ingress === undefined ? undefined : { ingress, ...(artifacts !== undefined && { artifacts }) };
  return { file, out, flags: read.data, server };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
