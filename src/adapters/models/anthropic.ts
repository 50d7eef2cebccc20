/** Claude, through the Messages API: one streamed call for each question. */
import type Anthropic from '@anthropic-ai/sdk';
import { EspalierError } from '../../errors.ts';
import type { ModelAdapter } from '../../ports/model.ts';
import { answerOf, limitsIn, usageOf } from './anthropic-answer.ts';
import { clientLoader } from './anthropic-client.ts';
import { ANTHROPIC_MODELS, type ClientOptions } from './anthropic-options.ts';
import { modelError, readError } from './anthropic-errors.ts';
import { anthropicPrice } from './anthropic-prices.ts';
import { paramsOf } from './anthropic-request.ts';

export { anthropicBatches, type AnthropicBatchOptions } from './anthropic-batches.ts';
export { ANTHROPIC_PRICES, PRICES_AS_OF } from './anthropic-prices.ts';

export type AnthropicOptions = ClientOptions & {
  /**
   * A stream that says nothing for so long is given up, in ms. Default 5 minutes: what a model thinks it may keep to
   * itself, and then it is as silent as one that is gone. The node's deadline holds all the same.
   */
  readonly idleMs?: number;
};
const IDLE_MS = 300_000;
const CHARACTERS_PER_TOKEN = 4; // about; real text has three to five

/**
 * The adapter for Claude. It needs the package `@anthropic-ai/sdk`, loaded with the first question.
 * Without a key there are prices for a plan, and a run ends before it begins, with `invalid-input`.
 * @example
 * defineScenario({ …, models: { adapter: anthropic({ apiKey: process.env.ANTHROPIC_API_KEY }) } });
 */
export function anthropic({ idleMs = IDLE_MS, ...options }: AnthropicOptions): ModelAdapter {
  const { key, load, checkReady } = clientLoader('anthropic()', options);
  return {
    name: 'anthropic',
    models: ANTHROPIC_MODELS,
    checkReady,
    price: anthropicPrice,
    async ask(request, { abortSignal, used }) {
      const { client, formatOf } = await load();
      const params = paramsOf(request, formatOf);
      abortSignal.throwIfAborted();
      const stream = client.messages.stream(params, { signal: abortSignal });
      let isIdle = false;
      const rest = (): void => {
        isIdle = true;
        stream.abort();
      };
      let timer = setTimeout(rest, idleMs);
      let written = 0;
      stream.on('streamEvent', (event, { usage }) => {
        written = event.type === 'message_delta' ? 0 : written + lengthOf(event);
        const known = usageOf(usage);
        // How much was written is said at the end alone. Whatever is cut off before is billed by what had come.
        used?.({ ...known, outputTokens: Math.max(known.outputTokens, Math.ceil(written / CHARACTERS_PER_TOKEN)) });
        clearTimeout(timer);
        timer = setTimeout(rest, idleMs);
      });
      try {
        const message = await stream.finalMessage();
        return answerOf(message, stream.response ? limitsIn(stream.response.headers) : []);
      } catch (error) {
        if (isIdle) {
          throw modelError(`Anthropic: the stream said nothing for ${idleMs} ms`, { diagnosis: 'transient' }, key);
        }
        throw readError(error, key);
      } finally {
        clearTimeout(timer);
      }
    },
    async countTokens(request, { abortSignal }) {
      const { client, formatOf } = await load();
      const { model, messages, system, tools, output_config } = paramsOf(request, formatOf);
      try {
        const counted = await client.messages.countTokens(
          {
            model,
            messages,
            ...(system && { system }),
            ...(tools && { tools }),
            ...(output_config && { output_config }),
          },
          { signal: abortSignal },
        );
        return counted.input_tokens;
      } catch (error) {
        throw EspalierError.isInstance(error) ? error : readError(error, key);
      }
    },
  };
}

/** Of what a model has written with this event, in characters: text, thought, or what it gives a tool. */
function lengthOf(event: Anthropic.MessageStreamEvent): number {
  if (event.type !== 'content_block_delta') return 0;
  const { delta } = event;
  switch (delta.type) {
    case 'text_delta':
      return delta.text.length;
    case 'thinking_delta':
      return delta.thinking.length;
    case 'input_json_delta':
      return delta.partial_json.length;
    default:
      return 0;
  }
}
