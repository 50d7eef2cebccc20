/** Named pools: what a scenario says of them, and which a leaf is in. */
import { EspalierError } from '../errors.ts';
import { SOURCE_POOL, TOTAL } from '../ports/slots.ts';
import { NONE } from '../protocol/freeze.ts';
import { OBJECT, shown } from './check.ts';
import { DEFAULT_WORK, type Models } from './models.ts';
import type { Child, Leaf, LimitsSpec, PoolLimit } from './spec.ts';

type Pools = Readonly<Record<string, PoolLimit>>;

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$/;
/** Heavy work, when nothing is said of it. */
const DEFAULTS: Pools = { build: { most: 2, least: 1 } };

/** @throws EspalierError `invalid-input` */
export function poolsOf(given: LimitsSpec['pools'] = {}): Pools {
  if (!OBJECT.isMet(given)) {
    throw invalid(`The limit pools is ${shown(given)}. Give an object such as { "model:deep": 3 }.`);
  }
  return { ...DEFAULTS, ...Object.fromEntries(Object.entries(given).map(([name, one]) => [name, limitOf(name, one)])) };
}

function limitOf(name: string, given: number | { most: number; least?: number }): PoolLimit {
  if (!NAME.test(name) || name === TOTAL) {
    const remedy =
      name === TOTAL ? 'Set limits.concurrency instead.' : 'Use letters, digits, "_", ".", ":", "/" or "-".';
    throw invalid(`The limit pools has the name ${JSON.stringify(name)}. ${remedy}`);
  }
  if (typeof given !== 'number' && !OBJECT.isMet(given)) {
    throw invalid(`The limit pools["${name}"] is ${shown(given)}. Give a whole number, or { most, least }.`);
  }
  const { most, least = 1 } = typeof given === 'number' ? { most: given } : given;
  for (const [which, value] of Object.entries({ most, least })) {
    if (Number.isInteger(value) && value >= 1) continue;
    const what = typeof given === 'number' ? '' : `.${which}`;
    throw invalid(`The limit pools["${name}"]${what} is ${shown(value)}. Give a whole number of at least 1.`);
  }
  if (least > most) {
    throw invalid(`The limit pools["${name}"] has least: ${least}, which is more than most: ${most}. Lower it.`);
  }
  return { most, least };
}

/** @throws EspalierError `invalid-definition` */
export function checkPoolNames({ name, pools = [] }: Pick<Leaf, 'name' | 'pools'>): void {
  for (const pool of pools) {
    if (NAME.test(pool) && pool !== TOTAL && !pool.startsWith(SOURCE_POOL)) continue;
    const remedy = pool.startsWith(SOURCE_POOL)
      ? 'Only loads of sources are in such a pool. Leave it out.'
      : 'Use the name of one in limits.pools, or leave it out: every leaf is in the total.';
    throw new EspalierError('invalid-definition', `Leaf "${name}" is in the pool ${JSON.stringify(pool)}. ${remedy}`);
  }
}

/**
 * A pool nobody set a limit for would cap nothing: most likely its name is misspelt.
 * @throws EspalierError `invalid-definition`
 */
export function checkPoolsAreKnown(children: readonly Child[], limits: Pools): void {
  for (const child of children) {
    if (child.kind === 'domain') checkPoolsAreKnown(child.children, limits);
    const unknown = child.kind === 'leaf' && child.pools?.find((pool) => !Object.hasOwn(limits, pool));
    if (typeof unknown !== 'string') continue;
    throw new EspalierError(
      'invalid-definition',
      `Leaf "${child.name}" is in the pool "${unknown}", which has no limit (there are ${Object.keys(limits).join(', ')}). Add it to limits.pools.`,
    );
  }
}

/**
 * The pools of a leaf: of its kind of work, when there is such a pool, those it names, and, when it says that it asks a
 * model, that of the model's class.
 */
export function poolsOfLeaf(
  { work, pools = NONE, asks }: Pick<Leaf, 'work' | 'pools' | 'asks'>,
  limits: Pools,
  models?: Models,
): readonly string[] {
  const byWork = `work:${work}`;
  const own = work === undefined || !Object.hasOwn(limits, byWork) ? pools : [byWork, ...pools];
  const byModel = asks && models?.choiceFor(work ?? DEFAULT_WORK).pool;
  return byModel === undefined || own.includes(byModel) ? own : [...own, byModel];
}

const invalid = (message: string): EspalierError => new EspalierError('invalid-input', message);
