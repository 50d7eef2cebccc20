import { EspalierError } from '../errors.ts';
import { checkAsks } from './asks.ts';
import { checkFields, checkSpec, checkWeight, FLAG, METHOD, NAMES, SCHEMA, shown, TEXT } from './check.ts';
import { parseDuration } from './duration.ts';
import { checkPoolNames } from './pools.ts';
import { checkToolNames } from './tools.ts';
import type { Finding, FindingDraft } from '../protocol/finding.ts';
import { nameOf } from '../protocol/path.ts';
import type { Leaf, LeafSpec } from './spec.ts';
import { checkName } from './stages.ts';

const FIELDS = {
  description: TEXT,
  question: TEXT,
  needs: NAMES,
  aliases: NAMES,
  sources: NAMES,
  tools: NAMES,
  instructions: TEXT,
  pools: NAMES,
  data: SCHEMA,
  idempotent: FLAG,
  verify: METHOD,
  recover: METHOD,
};

/**
 * Defines one atomic task: pull a source, run a model, score a signal.
 * @throws EspalierError `invalid-definition` or `invalid-input`, with what to change
 * @example
 * defineLeaf({ name: 'jobs', sources: ['us-employment/nonfarm'], run: async ({ sources }) => … })
 * @example
 * const census = defineLeaf({ name: 'census', data: z.object({ people: z.int() }), run: () => … });
 * census.dataOf(outcome.brief.findings); // { people: number }[]
 */
export function defineLeaf<Data = FindingDraft['data']>(spec: LeafSpec<Data>): Leaf<Data> {
  checkSpec('defineLeaf', spec);
  checkName('Leaf', spec.name);
  if (typeof spec.run !== 'function') {
    throw new EspalierError('invalid-definition', `Leaf "${spec.name}" has no run function. Add run: (context) => …`);
  }
  checkFields(`Leaf "${spec.name}"`, spec, FIELDS);
  checkPoolNames(spec);
  checkAsks(`Leaf "${spec.name}"`, spec.asks);
  checkToolNames(spec);
  if (spec.attempts !== undefined && !(Number.isInteger(spec.attempts) && spec.attempts >= 1)) {
    throw new EspalierError(
      'invalid-definition',
      `Leaf "${spec.name}" has attempts: ${shown(spec.attempts)}. Give a whole number of at least 1.`,
    );
  }
  if (spec.estimate !== undefined) parseDuration(spec.estimate, `estimate of leaf "${spec.name}"`);
  checkWeight(`Leaf "${spec.name}"`, spec.weight);
  const isOwn = ({ path }: Finding): boolean => nameOf(path) === spec.name;
  return {
    ...spec,
    kind: 'leaf',
    dataOf: (findings) =>
      findings.filter(isOwn).flatMap(({ data }) => {
        if (!spec.data) return data === undefined ? [] : [data as Data];
        const parsed = spec.data.safeParse(data);
        return parsed.success ? [parsed.data] : []; // a leaf of the same name elsewhere
      }),
  };
}
