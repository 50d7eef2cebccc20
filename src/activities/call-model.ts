/**
 * One call of a model, within its pool and its node's budget.
 *  1. The most that it can cost is reserved before, and what it did cost is settled after: also when it failed or was
 *     cut off and is billed all the same, and when its answer comes after its node has ended.
 *  2. It has a place in its class's pool, or its leaf's slot has; what was refused teaches that pool.
 *  3. An adapter that is deaf to its signal is not waited for.
 */
import { z } from 'zod';
import { TOKENS_PER_SEARCH } from '../define/asks.ts';
import type { Chosen, Models } from '../define/models.ts';
import { EspalierError } from '../errors.ts';
import type { Io } from '../ports/activities.ts';
import type { Cost } from '../ports/budget.ts';
import type { ModelAnswer, ModelRequest, ModelUsage, RateLimit, ServerTool } from '../ports/model.ts';
import type { Allowance, Slots } from '../ports/slots.ts';
import { errorOf, faultOf } from '../tier/fault.ts';
import { costOf, mostCost, promptTokens } from '../tier/model-cost.ts';
import { placeIn, unlessAborted, type Place } from './place.ts';

export type Caller = {
  readonly models: Models;
  readonly slots: Slots | undefined;
  readonly chosen: Chosen;
  readonly io: Io;
  /** Whether its slot is in the pool of its class already. */
  readonly isCovered: boolean;
};

/** @throws what the adapter throws, with the pool that was asked too much of; a fault `budget` */
export async function callModel(request: ModelRequest, caller: Caller): Promise<ModelAnswer & { usd: number }> {
  const { models, slots, chosen, io, isCovered } = caller;
  const { pool } = chosen;
  io.abortSignal.throwIfAborted();
  const wanted = { pool, who: 'a call of a model', estimateMs: undefined };
  const place = slots && !isCovered ? await placeIn(wanted, slots, io.abortSignal) : undefined;
  try {
    const answer = await within(place, request, caller);
    place?.slot.release('well');
    const allowance = answer.limits && allowanceIn(answer.limits, answer.usage);
    if (allowance) slots?.hear(pool, allowance);
    return answer;
  } catch (error) {
    const fault = faultOf(error);
    place?.slot.release(io.abortSignal.aborted ? undefined : { ...fault, pool });
    if (fault.diagnosis !== 'rate-limited' || fault.pool !== undefined) throw error;
    throw Object.assign(errorOf({ ...fault, pool }), { cause: error });
  }

  async function within(
    held: Place | undefined,
    asked: ModelRequest,
    { io: { abortSignal, budget } }: Caller,
  ): Promise<ModelAnswer & { usd: number }> {
    const over = held ? AbortSignal.any([abortSignal, held.lost]) : abortSignal;
    const price = models.priceOf(asked.model);
    const reservation = budget.reserve(await mostOf(asked, caller, over));
    const usdOf = (usage: ModelUsage): number => (price ? costOf(usage, price) : 0);
    const settle = (usage: ModelUsage): void =>
      reservation.settle({
        usd: usdOf(usage),
        inputTokens: promptTokens(usage),
        outputTokens: usage.outputTokens,
        isBilled: true,
      });
    let known: ModelUsage | undefined;
    const cutOff = (): void => {
      if (known) settle(known); // now: soon its node has reported
    };
    over.addEventListener('abort', cutOff, { once: true });
    const answering = unlessThrown(() =>
      models.adapter.ask(asked, { abortSignal: over, used: (usage) => (known = usage) }),
    );
    answering
      .then(
        ({ usage }) => settle(usage),
        () => (known ? settle(known) : reservation.release()),
      )
      .finally(() => over.removeEventListener('abort', cutOff));
    const answer = await unlessAborted(answering, over);
    return { ...answer, usd: usdOf(answer.usage) };
  }
}

async function unlessThrown<T>(start: () => Promise<T>): Promise<T> {
  return start();
}

/** A prompt of fewer bytes is not worth asking how many tokens it has. */
const BIG_PROMPT = 16_000;
const BYTES_PER_TOKEN = 2; // real text has three to five
/** What a count may be short of. */
const COUNT_SLACK = 1.02;
const DEFAULT_USES = 5;
const TOKENS_PER_PAGE = 25_000;

/** Nothing of a run without limits: there it is only counted. */
async function mostOf(request: ModelRequest, { models, io }: Caller, abortSignal: AbortSignal): Promise<Cost> {
  const { usd, tokens } = io.budget.left();
  if (usd === undefined && tokens === undefined) return {};
  const price = models.priceOf(request.model);
  if (!price && usd !== undefined) {
    throw new EspalierError(
      'invalid-definition',
      `The run has a budget in money, and "${request.model}" has no price. Add it to models.prices.`,
    );
  }
  const bytes = bytesOf(request);
  let inputTokens = Math.ceil(bytes / BYTES_PER_TOKEN);
  const { adapter } = models;
  if (bytes > BIG_PROMPT && adapter.countTokens) {
    try {
      const counted = await unlessAborted(adapter.countTokens(request, { abortSignal }), abortSignal);
      inputTokens = Math.ceil(counted * COUNT_SLACK);
    } catch {
      abortSignal.throwIfAborted(); // else the bytes have to do
    }
  }
  let webSearches = 0;
  for (const tool of request.serverTools) {
    const uses = tool.maxUses ?? DEFAULT_USES;
    if (tool.kind === 'web-search') webSearches += uses;
    inputTokens += uses * tokensPerUse(tool);
  }
  const most = { inputTokens, outputTokens: request.maxTokens, webSearches };
  return price ? mostCost(most, price) : { tokens: inputTokens + request.maxTokens };
}

const tokensPerUse = (tool: ServerTool): number =>
  tool.kind === 'web-search' ? TOKENS_PER_SEARCH : (tool.maxContentTokens ?? TOKENS_PER_PAGE);

function bytesOf({ system, messages, tools, output }: ModelRequest): number {
  const sent = [system, messages, tools, output && shapeOf(output)];
  return Buffer.byteLength(JSON.stringify(sent));
}

const shapes = new WeakMap<z.ZodType, object>();
function shapeOf(output: z.ZodType): object {
  let shape = shapes.get(output);
  if (!shape) shapes.set(output, (shape = z.toJSONSchema(output, { unrepresentable: 'any' })));
  return shape;
}

/** How many more calls like this one the vendor allows, and until when: of all its limits the tightest. */
function allowanceIn(limits: readonly RateLimit[], usage: ModelUsage): Allowance | undefined {
  let tightest: Allowance | undefined;
  for (const { of, limit, remaining, resetMs } of limits) {
    const one = Math.max(1, sizeIn(of, usage));
    const calls = Math.floor(remaining / one);
    // A vendor's bucket fills steadily: what one call needs is there before all of it is.
    const lacking = Math.min(1, (one - remaining) / Math.max(1, limit - remaining));
    const allowance = { calls, forMs: calls > 0 ? resetMs : Math.ceil(resetMs * lacking) };
    if (!tightest || calls < tightest.calls || (calls === tightest.calls && allowance.forMs > tightest.forMs)) {
      tightest = allowance;
    }
  }
  return tightest;
}

function sizeIn(of: RateLimit['of'], usage: ModelUsage): number {
  switch (of) {
    case 'requests':
      return 1;
    case 'input-tokens':
      return usage.inputTokens + usage.cacheWriteTokens;
    case 'output-tokens':
      return usage.outputTokens;
    case 'tokens':
      return usage.inputTokens + usage.cacheWriteTokens + usage.outputTokens;
  }
}
