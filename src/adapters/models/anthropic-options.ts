/** What both ways to Claude have in common. Without the SDK's types: they are there only where it is installed. */
import type { ModelChoice, ModelClass } from '../../ports/model.ts';

export type ClientOptions = {
  /** Never logged, stored or traced. Say where it comes from: `process.env.ANTHROPIC_API_KEY`. */
  readonly apiKey: string | undefined;
  /** Default: `ANTHROPIC_BASE_URL`, else Anthropic's own. */
  readonly baseURL?: string;
  /** How long it may take until an answer begins, in ms. Default 2 minutes. */
  readonly timeoutMs?: number;
};
/** Which model stands for a class, unless a policy says so. */
export const ANTHROPIC_MODELS: Readonly<Record<ModelClass, ModelChoice>> = {
  fast: { model: 'claude-haiku-5-5' },
  balanced: { model: 'claude-sonnet-5-5' },
  deep: { model: 'claude-opus-5-5', effort: 'high' },
};
