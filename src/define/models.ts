/**
 * Which model does which work. A definition names its kind of work; the scenario, or whoever runs it, binds kinds to
 * classes and classes to models, as late as when the run starts.
 */
import { EspalierError } from '../errors.ts';
import type {
  Effort,
  ModelAdapter,
  ModelChoice,
  ModelClass,
  ModelWork,
  Policy,
  PolicyName,
  Price,
  Work,
} from '../ports/model.ts';
import { MODEL_POOL } from '../ports/slots.ts';
import { OBJECT, shown } from './check.ts';
import { checkPrice } from './price.ts';

export type ModelsSpec = {
  readonly adapter: ModelAdapter;
  /** Default: `mixed`. */
  readonly policy?: PolicyName | Policy;
  /** By the id of a model, in place of the adapter's. */
  readonly prices?: Readonly<Record<string, Price>>;
};

/** The models of one run, bound. */
export type Models = {
  readonly adapter: ModelAdapter;
  choiceFor(work: ModelWork): Chosen;
  priceOf(model: string): Price | undefined;
  /** The model of the class `deep`. */
  readonly strongest: string;
};
export type Chosen = ModelChoice & {
  readonly class: ModelClass;
  readonly maxTokens: number;
  /** The pool of slots that its calls are in. */
  readonly pool: string;
};

const CLASSES: readonly ModelClass[] = ['fast', 'balanced', 'deep'];
const EFFORTS: readonly Effort[] = ['low', 'medium', 'high', 'xhigh', 'max'];
export const POLICY_NAMES: readonly PolicyName[] = ['fast', 'mixed', 'deep'];

const MIXED: Readonly<Record<ModelWork, ModelClass>> = {
  extraction: 'fast',
  rules: 'fast',
  recovery: 'fast',
  structured: 'balanced',
  synthesis: 'balanced',
  authoring: 'deep',
  planning: 'deep',
};
const all = (one: ModelClass): Readonly<Record<ModelWork, ModelClass>> => ({
  extraction: one,
  rules: one,
  recovery: one,
  structured: one,
  synthesis: one,
  authoring: one,
  planning: one,
});
const MAX_TOKENS: Readonly<Record<ModelClass, number>> = { fast: 4_096, balanced: 8_192, deep: 16_384 };
/** What a leaf does that does not say. */
export const DEFAULT_WORK: Work = 'structured';

/**
 * Binds a scenario's models for one run. `policy`: the run's own. One by name takes the place of the scenario's kinds of
 * work, and leaves its classes; one that is written out is laid over it.
 * @throws EspalierError `invalid-input`
 */
export function modelsOf(
  { adapter, policy: own = 'mixed', prices = {} }: ModelsSpec,
  policy?: PolicyName | Policy,
): Models {
  checkPolicy(policy ?? 'mixed');
  const work = {
    ...workOf(own),
    ...(policy !== undefined && (typeof policy === 'string' ? workOf(policy) : policy.work)),
  };
  const classes = { ...adapter.models, ...classesOf(own), ...(policy !== undefined && classesOf(policy)) };
  return {
    adapter,
    choiceFor(kind) {
      const chosen = work[kind];
      const choice = classes[chosen];
      return { maxTokens: MAX_TOKENS[chosen], ...choice, class: chosen, pool: `${MODEL_POOL}${chosen}` };
    },
    strongest: classes.deep.model,
    priceOf: (model) => (Object.hasOwn(prices, model) ? prices[model] : adapter.price?.(model)),
  };
}

function workOf(policy: PolicyName | Policy): Readonly<Record<ModelWork, ModelClass>> {
  if (typeof policy !== 'string') return { ...MIXED, ...policy.work };
  return policy === 'mixed' ? MIXED : all(policy);
}
const classesOf = (policy: PolicyName | Policy): Policy['classes'] =>
  typeof policy === 'string' ? {} : (policy.classes ?? {});

/** @throws EspalierError `invalid-input` */
export function checkModels(owner: string, models: unknown): void {
  if (models === undefined) return;
  if (!OBJECT.isMet(models)) {
    throw invalid(`${owner} has models: ${shown(models)}. Give { adapter: anthropic({ apiKey }) }.`);
  }
  const { adapter, policy, prices } = models as { [key: string]: unknown };
  if (!isAdapter(adapter)) {
    throw invalid(
      `${owner} has models.adapter: ${shown(adapter)}. Give a model adapter, such as anthropic({ apiKey }).`,
    );
  }
  if (policy !== undefined) checkPolicy(policy);
  if (prices === undefined) return;
  if (!OBJECT.isMet(prices))
    throw invalid(`${owner} has models.prices: ${shown(prices)}. Give { "model id": { input, output } }.`);
  for (const [model, price] of Object.entries(prices as object)) checkPrice(model, price);
}

function isAdapter(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return false;
  const { ask, models } = given as { [key: string]: unknown };
  return (
    typeof ask === 'function' && typeof models === 'object' && models !== null && CLASSES.every((one) => one in models)
  );
}

/** @throws EspalierError `invalid-input` */
export function checkPolicy(policy: unknown): void {
  if (typeof policy === 'string') {
    if ((POLICY_NAMES as readonly string[]).includes(policy)) return;
    throw invalid(`The policy is ${shown(policy)}. Give fast, mixed or deep, or { work, classes }.`);
  }
  if (!OBJECT.isMet(policy))
    throw invalid(`The policy is ${shown(policy)}. Give fast, mixed or deep, or { work, classes }.`);
  const { work = {}, classes = {}, ...rest } = policy as { [key: string]: unknown };
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalid(`The policy has "${unknown}". Give any of work and classes.`);
  for (const [kind, chosen] of entriesOf('work', work)) {
    if (!Object.hasOwn(MIXED, kind)) {
      throw invalid(`The policy's work has "${kind}". Give any of ${Object.keys(MIXED).join(', ')}.`);
    }
    if (!(CLASSES as readonly unknown[]).includes(chosen)) {
      throw invalid(`The policy's work.${kind} is ${shown(chosen)}. Give fast, balanced or deep.`);
    }
  }
  for (const [name, choice] of entriesOf('classes', classes)) {
    if (!(CLASSES as readonly string[]).includes(name)) {
      throw invalid(`The policy's classes has "${name}". Give any of fast, balanced and deep.`);
    }
    checkChoice(name, choice);
  }
}

function entriesOf(field: string, given: unknown): [string, unknown][] {
  if (OBJECT.isMet(given)) return Object.entries(given as object);
  throw invalid(`The policy's ${field} is ${shown(given)}. Give an object.`);
}

function checkChoice(name: string, choice: unknown): void {
  const { model, effort, maxTokens } = (OBJECT.isMet(choice) ? choice : {}) as { [key: string]: unknown };
  if (typeof model !== 'string' || model === '') {
    throw invalid(`The policy's classes.${name} is ${shown(choice)}. Give { model: "…", effort }.`);
  }
  if (effort !== undefined && !(EFFORTS as readonly unknown[]).includes(effort)) {
    throw invalid(`The policy's classes.${name}.effort is ${shown(effort)}. Give one of ${EFFORTS.join(', ')}.`);
  }
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && (maxTokens as number) >= 1)) {
    throw invalid(`The policy's classes.${name}.maxTokens is ${shown(maxTokens)}. Give a whole number of at least 1.`);
  }
}

const invalid = (message: string): EspalierError => new EspalierError('invalid-input', message);
