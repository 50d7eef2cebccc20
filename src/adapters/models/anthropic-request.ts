/** A request as the Messages API takes it. */
import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import { EspalierError } from '../../errors.ts';
import type { JsonSchema, ModelMessage, ModelRequest, ServerTool, SystemPart } from '../../ports/model.ts';

type Params = Anthropic.MessageCreateParamsNonStreaming;
/** Makes the schema that the API holds a model to: the SDK's own. */
export type FormatOf = (output: z.ZodType) => { type: 'json_schema'; schema: { [key: string]: unknown } };

const KEPT: { type: 'ephemeral' } = { type: 'ephemeral' };
const DEFAULT_USES = 5;

/** @throws EspalierError `invalid-definition` on a shape that cannot be asked for */
export function paramsOf(request: ModelRequest, formatOf: FormatOf): Params {
  const { model, maxTokens, effort, output, system, tools, serverTools } = request;
  const format = output && checkedFormat(output, formatOf);
  const isLoop = tools.length > 0;
  return {
    model,
    max_tokens: maxTokens,
    messages: messagesOf(request.messages, isLoop),
    ...(system.length > 0 && { system: systemOf(system) }),
    ...((effort !== undefined || format) && {
      output_config: { ...(effort !== undefined && { effort }), ...(format && { format }) },
    }),
    ...(tools.length + serverTools.length > 0 && {
      tools: [
        ...tools.map(({ name, description, inputSchema }) => ({
          name,
          description,
          input_schema: inputSchema as Anthropic.Tool.InputSchema,
        })),
        ...serverTools.map((tool) => serverToolOf(tool, format !== undefined)),
      ],
    }),
  };
}

/** The last of the shared parts ends what is worth keeping: tools and all parts before it are kept with it. */
function systemOf(parts: readonly SystemPart[]): Anthropic.TextBlockParam[] {
  const last = parts.findLastIndex(({ isShared }) => isShared === true);
  return parts.map(({ text }, index) => ({ type: 'text', text, ...(index === last && { cache_control: KEPT }) }));
}

/** A conversation with tools is sent again with every turn: what has been said is kept for the next. */
function messagesOf(messages: readonly ModelMessage[], isLoop: boolean): Anthropic.MessageParam[] {
  return messages.map((message, index): Anthropic.MessageParam => {
    const keep = isLoop && index === messages.length - 1 && { cache_control: KEPT };
    switch (message.role) {
      case 'user':
        return { role: 'user', content: [{ type: 'text', text: message.text, ...keep }] };
      case 'assistant':
        return { role: 'assistant', content: message.content as Anthropic.ContentBlockParam[] };
      case 'tools':
        return {
          role: 'user',
          content: message.results.map(({ id, text, isError }, i) => ({
            type: 'tool_result',
            tool_use_id: id,
            content: text,
            ...(isError && { is_error: true }),
            ...(i === message.results.length - 1 && keep),
          })),
        };
    }
  });
}

/** `direct`: the model calls it itself. What it fetches is cited, unless the answer is to be JSON: the API has either. */
function serverToolOf(tool: ServerTool, isJson: boolean): Anthropic.ToolUnion {
  const { maxUses = DEFAULT_USES, allowedDomains, blockedDomains } = tool;
  const limits = {
    max_uses: maxUses,
    allowed_callers: ['direct' as const],
    ...(allowedDomains && { allowed_domains: [...allowedDomains] }),
    ...(blockedDomains && { blocked_domains: [...blockedDomains] }),
  };
  if (tool.kind === 'web-search') return { type: 'web_search_20260318', name: 'web_search', ...limits };
  const { maxContentTokens } = tool;
  return {
    type: 'web_fetch_20260318',
    name: 'web_fetch',
    ...limits,
    ...(!isJson && { citations: { enabled: true } }),
    ...(maxContentTokens !== undefined && { max_content_tokens: maxContentTokens }),
  };
}

const checked = new WeakMap<z.ZodType, ReturnType<FormatOf>>();

function checkedFormat(output: z.ZodType, formatOf: FormatOf): ReturnType<FormatOf> {
  let format = checked.get(output);
  if (!format) {
    const open = openObjectIn(schemaOf(output), 'it');
    if (open !== undefined) {
      throw invalid(
        `${open} is an object of any keys (z.record), which a model cannot be held to. Ask for a list of { key, value }.`,
      );
    }
    const { type, schema } = unlessThrown(() => formatOf(output));
    format = { type, schema };
    checked.set(output, format);
  }
  return format;
}

const schemaOf = (output: z.ZodType): JsonSchema => unlessThrown(() => z.toJSONSchema(output));

function unlessThrown<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalid(
      `The shape of the answer has no JSON schema (${why}). Leave out tuples, dates, transforms and unknown.`,
      cause,
    );
  }
}

/** Where a schema has an object of any keys: of that the API would make one without any. */
function openObjectIn(schema: unknown, where: string): string | undefined {
  if (Array.isArray(schema)) return firstOf(schema.map((one): [string, unknown] => [where, one]));
  if (typeof schema !== 'object' || schema === null) return undefined;
  const { type, properties = {}, additionalProperties, ...rest } = schema as { [key: string]: unknown };
  const isOpen = typeof additionalProperties === 'object' && Object.keys(properties as object).length === 0;
  if (type === 'object' && isOpen) return where;
  const named = Object.entries(properties as object).map(([key, one]): [string, unknown] => [
    where === 'it' ? `"${key}"` : `${where}."${key}"`,
    one,
  ]);
  return firstOf([...named, ...Object.values(rest).map((one): [string, unknown] => [where, one])]);
}
function firstOf(parts: readonly [string, unknown][]): string | undefined {
  for (const [where, part] of parts) {
    const open = openObjectIn(part, where);
    if (open !== undefined) return open;
  }
  return undefined;
}

const invalid = (message: string, cause?: unknown): EspalierError =>
  new EspalierError('invalid-definition', message, { cause });
