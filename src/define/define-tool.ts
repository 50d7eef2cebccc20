import { z } from 'zod';
import { EspalierError } from '../errors.ts';
import type { ModelTool } from '../ports/asking.ts';
import type { JsonSchema } from '../ports/model.ts';
import { misfitOf } from '../protocol/misfit.ts';
import { checkSpec, shown } from './check.ts';

export type ToolSpec<Input> = Pick<ModelTool, 'name' | 'description'> & {
  readonly input: z.ZodType<Input>;
  /** What it gives is told to the model: a text as it is, anything else as JSON. */
  readonly run: (input: Input, io: { readonly abortSignal: AbortSignal }) => unknown;
};

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * A tool that a model may call. What the model writes is parsed before `run` sees it; what does not fit is told to it.
 * @throws EspalierError `invalid-definition`
 */
export function defineTool<Input>(spec: ToolSpec<Input>): ModelTool {
  checkSpec('defineTool', spec);
  const { name, description, input, run } = spec;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw invalid(`A tool has name: ${shown(name)}. Use 1 to 64 letters of a to z, digits, "_" or "-".`);
  }
  if (typeof description !== 'string' || description.trim() === '') {
    throw invalid(`The tool "${name}" has no description. Say what it does and when it helps: the model goes by it.`);
  }
  if (typeof run !== 'function') throw invalid(`The tool "${name}" has no run function. Add run: (input) => …`);
  return {
    name,
    description,
    inputSchema: schemaOf(name, input),
    run(given, io) {
      const parsed = input.safeParse(given);
      if (!parsed.success) throw new Error(`the input does not fit: ${misfitOf(parsed.error, given)}`);
      return run(parsed.data, io);
    },
  };
}

function schemaOf(name: string, input: z.ZodType): JsonSchema {
  try {
    const { $schema: _, ...schema } = z.toJSONSchema(input, { io: 'input' });
    if (schema.type === 'object') return schema;
  } catch (cause) {
    throw invalid(`The input of the tool "${name}" has no JSON schema: ${String(cause)}. Use plain shapes.`, cause);
  }
  throw invalid(`The input of the tool "${name}" is no object. Give z.object({ … }).`);
}

const invalid = (message: string, cause?: unknown): EspalierError =>
  new EspalierError('invalid-definition', message, { cause });
