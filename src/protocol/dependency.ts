import { z } from 'zod';

/** A read that the reader had not declared: of the report or an artifact of another node, or of a source. */
export const Dependency = z.object({
  /** What was read: a node's path, or the id of a source. */
  on: z.string(),
  /** The reader. */
  path: z.string(),
  via: z.enum(['report', 'artifact', 'source']),
});
export type Dependency = z.infer<typeof Dependency>;

/** Once for each reader and what it read. */
export const dependencyKey = ({ on, path, via }: Dependency): string => `${path} ${via} ${on}`;
