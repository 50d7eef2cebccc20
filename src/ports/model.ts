/** What answers questions in words: the contract between whoever asks and a vendor's models. Types only. */
import type { z } from 'zod';

/** How much a piece of work asks of a model. Which model that is, a run's policy says. */
export type ModelClass = 'fast' | 'balanced' | 'deep';
export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max';
/** One model, and how hard it is to think. */
export type ModelChoice = {
  readonly model: string;
  /** Default: the model's own. */
  readonly effort?: Effort;
  /** The most tokens of an answer, thinking included. Default: by its class. */
  readonly maxTokens?: number;
};

/** The kind of work a leaf does. Which model serves a kind, if any, is the scenario's business. */
export type Work = 'extraction' | 'rules' | 'structured' | 'authoring';
/** What a model can be asked for: a leaf's work, or an orchestrator's. */
export type ModelWork = Work | 'planning' | 'synthesis' | 'recovery';

export type Policy = {
  /** Default: extraction, rules and recovery `fast`; structured and synthesis `balanced`; authoring and planning `deep`. */
  readonly work?: Readonly<Partial<Record<ModelWork, ModelClass>>>;
  /** Default: those of the adapter. */
  readonly classes?: Readonly<Partial<Record<ModelClass, ModelChoice>>>;
};
/** `fast` and `deep`: all work by that class. `mixed`: each kind by its default. */
export type PolicyName = 'fast' | 'mixed' | 'deep';

/** US dollars for a million tokens; `webSearch` for a thousand searches. */
export type Price = {
  readonly input: number;
  readonly output: number;
  /** Default: as `input`. */
  readonly cacheRead?: number;
  /** Default: as `input`. */
  readonly cacheWrite?: number;
  readonly webSearch?: number;
  /** What a prompt of more tokens than `above`, cached ones included, costs instead. */
  readonly long?: { readonly above: number } & Omit<Price, 'long' | 'webSearch'>;
};

/** What one call took, as its vendor counts. `inputTokens` are those that no cache served or took. */
export type ModelUsage = {
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly webSearches: number;
};

/** `isShared`: other calls of the run begin with the same text, so it is worth a place in the vendor's cache. */
export type SystemPart = { readonly text: string; readonly isShared?: true };
export type JsonSchema = { readonly [key: string]: unknown };
export type ToolDeclaration = {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
};
export type ToolCall = { readonly id: string; readonly name: string; readonly input: unknown };
export type ToolResult = { readonly id: string; readonly text: string; readonly isError?: true };

/** What the vendor does itself while it answers. */
export type ServerTool =
  | ({ readonly kind: 'web-search' } & WebLimits)
  | ({ readonly kind: 'web-fetch'; /** Of each page. */ readonly maxContentTokens?: number } & WebLimits);
type WebLimits = {
  /** In one call. Default 5. */
  readonly maxUses?: number;
  readonly allowedDomains?: readonly string[];
  readonly blockedDomains?: readonly string[];
};

export type ModelMessage =
  | { readonly role: 'user'; readonly text: string }
  /** As an answer of the same adapter gave it: nobody else can read it. */
  | { readonly role: 'assistant'; readonly content: unknown }
  | { readonly role: 'tools'; readonly results: readonly ToolResult[] };

export type ModelRequest = ModelChoice & {
  readonly maxTokens: number;
  readonly system: readonly SystemPart[];
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolDeclaration[];
  readonly serverTools: readonly ServerTool[];
  /** The answer's text is to be JSON of this shape. Whoever asks reads it; the adapter only passes the shape on. */
  readonly output?: z.ZodType;
};

/** Where something that an answer says comes from. */
export type Citation = { readonly url: string; readonly title?: string; readonly citedText?: string };
/** What a vendor still allows, as it said with its answer. */
export type RateLimit = {
  readonly of: 'requests' | 'tokens' | 'input-tokens' | 'output-tokens';
  readonly limit: number;
  readonly remaining: number;
  /** Until all of it is there again, in ms from the answer. */
  readonly resetMs: number;
};

/**
 * - `ended`: it has said what it had to say · `tool-calls`: it waits for results · `paused`: send the content back, and
 *   it goes on · `refusal`: it will not · `truncated`: the tokens ran out, or the context window
 */
export type ModelAnswer = {
  readonly usage: ModelUsage;
  readonly text: string;
  readonly citations: readonly Citation[];
  /** To be sent back as it is. */
  readonly content: unknown;
  readonly limits?: readonly RateLimit[];
} & (
  | { readonly outcome: 'ended' | 'paused' }
  | { readonly outcome: 'tool-calls'; readonly calls: readonly ToolCall[] }
  | { readonly outcome: 'refusal' | 'truncated'; readonly why: string }
);

/**
 * A vendor's models. `ask` makes one call and retries nothing: who waits for how long is the run's business. It rejects
 * with an error whose fields say what it was: `diagnosis`, `status` and `headers` or `retryAfterMs`, `isFinal`.
 */
export type ModelAdapter = {
  readonly name: string;
  /** Which of its models stand for the classes, unless a policy says so. */
  readonly models: Readonly<Record<ModelClass, ModelChoice>>;
  /** Throws when nothing can be asked, such as without a key: a run does not begin then, but a plan can be made. */
  checkReady?(): void;
  ask(request: ModelRequest, io: ModelIo): Promise<ModelAnswer>;
  /** How many tokens the prompt has. Default: it is taken to have one for every two bytes. */
  countTokens?(request: ModelRequest, io: ModelIo): Promise<number>;
  /** Undefined of a model that it does not know. */
  price?(model: string): Price | undefined;
};
export type ModelIo = {
  readonly abortSignal: AbortSignal;
  /**
   * To be told what a call has used so far, as soon as it is known, or can be told roughly: it is billed also when no
   * answer comes of it.
   */
  readonly used?: (usage: ModelUsage) => void;
};
