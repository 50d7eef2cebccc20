/**
 * The SDK's client, loaded on first use.
 *  1. It has the key that it is given and looks for no other, neither in the environment nor in profiles on disk.
 *  2. It tries nothing again, and writes no log.
 */
import type Anthropic from '@anthropic-ai/sdk';
import { shown } from '../../define/check.ts';
import { EspalierError } from '../../errors.ts';
import type { ClientOptions } from './anthropic-options.ts';
import type { FormatOf } from './anthropic-request.ts';

type Loaded = { readonly client: Anthropic; readonly formatOf: FormatOf };

const TIMEOUT_MS = 120_000;
const SENDABLE = /^[!-~]+$/;

type Loader = {
  readonly key: string;
  /** @throws EspalierError `invalid-input` without a key that can be sent; it is not in the message */
  readonly checkReady: () => void;
  /** Rejects with `invalid-input` without a key, with `missing-peer` without the package. */
  readonly load: () => Promise<Loaded>;
};

/** Without a key there are prices, and nothing else. */
export function clientLoader(who: string, options: ClientOptions): Loader {
  const { apiKey, baseURL, timeoutMs: timeout = TIMEOUT_MS } = options;
  const key = typeof apiKey === 'string' ? apiKey : '';
  const checkReady = (): void => {
    if (baseURL !== undefined && !/^https?:\/\//.test(baseURL)) {
      throw invalid(`${who} was given baseURL: ${shown(baseURL)}. Give an http or https URL, or leave it out.`);
    }
    if (SENDABLE.test(key)) return;
    if (key.trim() !== '') {
      throw invalid(
        `${who} was given an apiKey that cannot be sent: it holds a blank, a line break or a letter that no key has. Copy ANTHROPIC_API_KEY again.`,
      );
    }
    const given = typeof apiKey === 'string' ? 'an empty text' : shown(apiKey);
    throw invalid(
      `${who} was given apiKey: ${given}. Set ANTHROPIC_API_KEY, and give apiKey: process.env.ANTHROPIC_API_KEY.`,
    );
  };
  let loaded: Promise<Loaded> | undefined;
  return {
    key,
    checkReady,
    async load() {
      checkReady();
      return (loaded ??= load({
        apiKey: key,
        maxRetries: 0,
        timeout,
        logLevel: 'off',
        ...(baseURL !== undefined && { baseURL }),
      }));
    },
  };
}

async function load(options: ConstructorParameters<typeof Anthropic>[0]): Promise<Loaded> {
  try {
    const [{ default: Client }, { zodOutputFormat }] = await Promise.all([
      import('@anthropic-ai/sdk'),
      import('@anthropic-ai/sdk/helpers/zod'),
    ]);
    return { client: new Client(options), formatOf: zodOutputFormat };
  } catch (cause) {
    const what = 'The package "@anthropic-ai/sdk" is not installed. Run: npm install @anthropic-ai/sdk';
    throw new EspalierError('missing-peer', what, { cause });
  }
}

const invalid = (message: string): EspalierError => new EspalierError('invalid-input', message);
