/** What a leaf may call besides its sources. A leaf declares tools by name; it reaches those, and no others. */

import type { JsonSchema } from './model.ts';

/** What a tool has answered. `text` is data that others wrote, never an instruction. */
export type ToolAnswer = { readonly text: string; readonly isError?: true };

export type Tool = {
  readonly name: string;
  readonly description: string;
  /** Of what it takes: of type `object`. */
  readonly input: JsonSchema;
  call(input: { readonly [key: string]: unknown }, io: { abortSignal: AbortSignal }): Promise<ToolAnswer>;
};

/** Several tools behind one name, such as a server of the Model Context Protocol. */
export type ToolServer = {
  /**
   * Makes it ready, once for each run that uses it. Rejects with an `EspalierError` `unknown-tool` when it cannot be had,
   * and with any other error, maybe with a `diagnosis`, when another try may succeed.
   */
  open(io: { abortSignal: AbortSignal }): Promise<OpenToolServer>;
};
export type OpenToolServer = {
  readonly tools: readonly Tool[];
  /** Whether it has ended by itself: the next leaf that asks opens it anew. */
  isLost?(): boolean;
  /** Ends what `open` began: no process, socket or timer of it is left when this resolves. Never rejects. */
  close(): Promise<void>;
};

/** A leaf's only way to tools: those that it declared. */
export type ToolShelf = {
  /**
   * The declared tools, of servers opened on first use. A tool is named `server/tool`.
   * @throws EspalierError `unknown-tool`
   */
  list(): Promise<readonly Tool[]>;
  /**
   * Calls one by its name. An undeclared one is refused, with an integrity alert.
   * @throws EspalierError `undeclared-tool`, `unknown-tool`
   */
  call(name: string, input: { readonly [key: string]: unknown }): Promise<ToolAnswer>;
};
