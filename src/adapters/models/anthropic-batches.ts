/**
 * Claude, through batches: for runs that can wait, at half the price. What is asked within a moment goes into one batch;
 * its answers come together, within a day at most.
 *  1. Whoever does not wait any more is told so at once; when nobody of a batch does, it is cancelled.
 *  2. A batch that could not be looked at is looked at again: it goes on by itself.
 */
import type Anthropic from '@anthropic-ai/sdk';
import type { ModelAdapter, ModelAnswer } from '../../ports/model.ts';
import { answerOf } from './anthropic-answer.ts';
import { clientLoader } from './anthropic-client.ts';
import { ANTHROPIC_MODELS, type ClientOptions } from './anthropic-options.ts';
import { modelError, readError } from './anthropic-errors.ts';
import { anthropicBatchPrice } from './anthropic-prices.ts';
import { paramsOf } from './anthropic-request.ts';

export type AnthropicBatchOptions = ClientOptions & {
  /** How long questions are gathered before a batch is sent, in ms. Default 2 s. */
  readonly gatherMs?: number;
  /** How often a batch is looked at, in ms. Default 30 s. */
  readonly pollMs?: number;
};
type Asked = {
  readonly params: Anthropic.MessageCreateParamsNonStreaming;
  readonly resolve: (answer: ModelAnswer) => void;
  readonly reject: (error: Error) => void;
  isOver: boolean;
  /** Told when it is over. */
  onOver?: () => void;
};

const GATHER_MS = 2_000;
const POLL_MS = 30_000;
const MOST_AT_ONCE = 10_000;

/**
 * The adapter for Claude in batches. Give the run a deadline of hours, and a concurrency as great as a batch is to be:
 * a leaf keeps its slot while it waits.
 */
export function anthropicBatches(options: AnthropicBatchOptions): ModelAdapter {
  const { gatherMs = GATHER_MS, pollMs = POLL_MS } = options;
  const { key, load, checkReady } = clientLoader('anthropicBatches()', options);
  let gathered: Asked[] = [];
  let timer: NodeJS.Timeout | undefined;

  const send = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const asked = gathered.filter(({ isOver }) => !isOver);
    gathered = [];
    if (asked.length === 0) return;
    try {
      const { client } = await load();
      const requests = asked.map(({ params }, index) => ({ custom_id: `q${index}`, params }));
      const { id } = await client.messages.batches.create({ requests });
      await ended(client, id, asked);
      await deliver(client, id, asked);
    } catch (error) {
      for (const one of asked) one.reject(readError(error, key));
    }
  };

  const ended = async (client: Anthropic, id: string, asked: readonly Asked[]): Promise<void> => {
    for (;;) {
      if (asked.every(({ isOver }) => isOver)) {
        await client.messages.batches.cancel(id);
        return;
      }
      try {
        const { processing_status: state } = await client.messages.batches.retrieve(id);
        if (state === 'ended') return;
      } catch (error) {
        const { isFinal } = readError(error, key) as { isFinal?: boolean };
        if (isFinal) throw error;
      }
      await untilDueOrOver(asked, pollMs);
    }
  };

  const deliver = async (client: Anthropic, id: string, asked: readonly Asked[]): Promise<void> => {
    if (asked.every(({ isOver }) => isOver)) return;
    for await (const { custom_id, result } of await client.messages.batches.results(id)) {
      const one = asked[Number(custom_id.slice(1))];
      if (!one) continue;
      switch (result.type) {
        case 'succeeded':
          one.resolve(answerOf(result.message));
          break;
        case 'errored': {
          const { type, message } = result.error.error;
          one.reject(readError({ type, message, ...(type === 'invalid_request_error' && { status: 400 }) }, key));
          break;
        }
        default:
          one.reject(modelError(`Anthropic: the batch was ${result.type}`, { diagnosis: 'transient' }, key));
      }
    }
    for (const one of asked) {
      one.reject(modelError('Anthropic: the batch ended without an answer', { diagnosis: 'transient' }, key));
    }
  };

  return {
    name: 'anthropic-batches',
    models: ANTHROPIC_MODELS,
    checkReady,
    price: anthropicBatchPrice,
    async ask(request, { abortSignal }) {
      const { formatOf } = await load();
      const params = paramsOf(request, formatOf);
      abortSignal.throwIfAborted();
      return new Promise<ModelAnswer>((resolve, reject) => {
        const giveUp = (): void => over(() => reject(abortSignal.reason as Error));
        const over = (tell: () => void): void => {
          if (asked.isOver) return;
          asked.isOver = true;
          abortSignal.removeEventListener('abort', giveUp);
          tell();
          asked.onOver?.();
        };
        const asked: Asked = {
          params,
          resolve: (answer) => over(() => resolve(answer)),
          reject: (error) => over(() => reject(error)),
          isOver: false,
        };
        abortSignal.addEventListener('abort', giveUp, { once: true });
        gathered.push(asked);
        if (gathered.length >= MOST_AT_ONCE) void send();
        else timer ??= setTimeout(() => void send(), gatherMs);
      });
    },
  };
}

/** Waits, but not when nobody else does. */
const untilDueOrOver = (asked: readonly Asked[], ms: number): Promise<void> =>
  new Promise((wake) => {
    const timer = setTimeout(wake, ms);
    for (const one of asked) {
      one.onOver = () => {
        if (!asked.every(({ isOver }) => isOver)) return;
        clearTimeout(timer);
        wake();
      };
    }
  });
