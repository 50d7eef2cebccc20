/** How a node asks a model. It never says which: its kind of work and the run's policy do. Types only. */
import type { z } from 'zod';
import type { Citation, JsonSchema, ModelUsage, ServerTool, SystemPart } from './model.ts';

/** Made by `defineTool`, or by hand around a JSON schema. */
export type ModelTool = {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  /**
   * What it gives is told to the model: a text as it is, anything else as JSON. What it throws is told as an error.
   * `input` is what the model wrote: parse it.
   */
  readonly run: (input: unknown, io: { readonly abortSignal: AbortSignal }) => unknown;
};

export type ModelQuestion = {
  /** What is asked. Text from outside belongs here, or in a tool's result, never in `system`. */
  readonly prompt: string;
  readonly system?: string | readonly SystemPart[];
  /** Said before `system`, and the same for siblings: worth a place in the vendor's cache. */
  readonly shared?: string;
  readonly tools?: readonly ModelTool[];
  readonly serverTools?: readonly ServerTool[];
  /** The most tokens of each answer. Default: as the policy has it. */
  readonly maxTokens?: number;
  /** The most calls, one for each round of tools. Default 12. */
  readonly maxTurns?: number;
};

export type ModelReply<Value> = {
  readonly value: Value;
  readonly text: string;
  readonly citations: readonly Citation[];
  /** Of all calls together. */
  readonly usage: ModelUsage;
  /** By the table of prices; 0 of a model without a price. */
  readonly usd: number;
  readonly model: string;
  /** How many calls it took. */
  readonly turns: number;
};

export type Model = {
  /** Whether the run has models. Without, `ask` rejects with `no-model`. */
  readonly isAvailable: boolean;
  /**
   * Asks, runs the tools that the model calls, and reads the answer. Every call is reserved in the node's budget before
   * it is made and settled after, and is in the node's usage. Rejects, and thereby fails the attempt unless it is
   * caught: with `refused`; with the diagnosis `out-of-context` when tokens ran out, `invalid-output` when the answer
   * has the wrong shape, `rate-limited` or `transient`; with `budget`.
   * @example
   * const { value, citations } = await model.ask({ prompt: task.question, output: z.object({ people: z.int() }) });
   */
  ask<Value>(question: ModelQuestion & { readonly output: z.ZodType<Value> }): Promise<ModelReply<Value>>;
  ask(question: ModelQuestion): Promise<ModelReply<string>>;
};
