/** What a plan is expected to cost, by the prices of the run's models: before anybody has asked one. */
import type { Entry } from '../activities/registry.ts';
import { expectedAsks, type Asks } from '../define/asks.ts';
import { DEFAULT_WORK, type Models } from '../define/models.ts';
import type { ModelWork } from '../ports/model.ts';
import type { Store } from '../ports/store.ts';
import type { Usage } from '../protocol/report.ts';
import { costOf, NO_USAGE } from '../tier/model-cost.ts';
import type { Plan, PlannedAsk, PlannedCost, PlannedModel, PlannedNode } from './run.ts';

type Tokens = Pick<Usage, 'inputTokens' | 'outputTokens'>;
/** What nodes used in the last run of a scenario that ended, by path; of what asked nobody nothing. */
export function usedLast(store: Store, scenario: string): ReadonlyMap<string, Tokens> {
  const used = new Map<string, Tokens>();
  for (const { runId, state } of store.runs({ scenario })) {
    if (state === 'running') continue;
    for (const { path, state: ended, usage } of store.nodes(runId)) {
      if (usage && ended === 'complete' && usage.self.inputTokens > 0) used.set(path, usage.self);
    }
    break;
  }
  return used;
}

/**
 * Undefined of a node that does not say that it asks. `executes`: in the place of its children. `isDecided`: its planner
 * has been asked already.
 */
export function asksOf(
  { path, definition }: Entry,
  models: Models | undefined,
  { executes, isDecided }: { executes: boolean; isDecided: boolean },
  used: ReadonlyMap<string, Tokens>,
): PlannedAsk[] | undefined {
  if (!models) return undefined;
  const said: [ModelWork, true | Asks | undefined][] =
    definition.kind === 'leaf'
      ? [[definition.work ?? DEFAULT_WORK, definition.asks]]
      : [
          ['planning', isDecided ? undefined : definition.decide?.asks],
          ['synthesis', executes ? undefined : definition.synthesize?.asks],
        ];
  const asks = said.flatMap(([work, one]) => (one ? [{ work, ...expectedAsks(one) }] : []));
  if (asks.length === 0) return undefined;
  const known = asks.length === 1 ? used.get(path) : undefined; // of two kinds of work only the sum is known
  return asks.map(({ work, calls, inputTokens, outputTokens, webSearches }): PlannedAsk => {
    const { class: chosen, model } = models.choiceFor(work);
    const each = known
      ? { inputTokens: known.inputTokens / Math.max(1, calls), outputTokens: known.outputTokens / Math.max(1, calls) }
      : { inputTokens, outputTokens };
    const price = models.priceOf(model);
    const usd = price
      ? calls * costOf({ ...NO_USAGE, ...each, webSearches: webSearches / Math.max(1, calls) }, price)
      : 0;
    return {
      work,
      class: chosen,
      model,
      from: known ? 'runs' : 'author',
      calls,
      inputTokens: each.inputTokens * calls,
      outputTokens: each.outputTokens * calls,
      webSearches,
      usd: rounded(usd),
    };
  });
}

/** Undefined of a plan in which nobody asks. */
export function costOfPlan(root: PlannedNode, models: Models | undefined): Plan['cost'] {
  if (!models) return undefined;
  const asks = asksIn(root);
  if (asks.length === 0) return undefined;
  const byModel = Map.groupBy(asks, ({ class: chosen, model }) => `${chosen} ${model}`);
  const used = [...byModel.values()].map((own): PlannedModel => {
    const [{ class: chosen, model }] = own as [PlannedAsk];
    return { class: chosen, model, isPriced: models.priceOf(model) !== undefined, ...sumOf(own) };
  });
  return { ...sumOf(asks), models: used.sort((a, b) => b.usd - a.usd) };
}

const asksIn = ({ asks = [], children }: PlannedNode): PlannedAsk[] => [...asks, ...children.flatMap(asksIn)];

const sumOf = (asks: readonly PlannedCost[]): PlannedCost => {
  const total = { calls: 0, inputTokens: 0, outputTokens: 0, webSearches: 0, usd: 0 };
  for (const one of asks) for (const what of Object.keys(total) as (keyof PlannedCost)[]) total[what] += one[what];
  return { ...total, usd: rounded(total.usd) };
};

const NANO = 1e9;
const rounded = (usd: number): number => Math.round(usd * NANO) / NANO;

/** What a reader should know of the cost before spending. */
export function costWarnings(
  cost: Plan['cost'],
  { usd, tokens }: { readonly usd?: number; readonly tokens?: number },
): string[] {
  if (!cost) return [];
  const warnings: string[] = [];
  const unpriced = cost.models.filter(({ isPriced }) => !isPriced).map(({ model }) => `"${model}"`);
  if (unpriced.length > 0) {
    const [is, it] = unpriced.length === 1 ? ['is', 'it'] : ['are', 'them'];
    warnings.push(
      `No price ${is} known of ${unpriced.join(', ')}: what ${it} cost${is === 'is' ? 's' : ''} is left out. Add ${it} to models.prices.`,
    );
  }
  if (usd !== undefined && cost.usd > usd) {
    warnings.push(
      `Models are expected to cost $${cost.usd.toFixed(2)}, the budget has $${usd}: some will be refused. Raise budget.usd, or choose a cheaper policy.`,
    );
  }
  const total = Math.round(cost.inputTokens + cost.outputTokens);
  if (tokens !== undefined && total > tokens) {
    warnings.push(
      `Models are expected to use ${total} tokens, the budget has ${tokens}: some will be refused. Raise budget.tokens, or choose fewer domains.`,
    );
  }
  return warnings;
}
