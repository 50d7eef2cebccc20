/**
 * What an agent's model can call: its declared sources, and its declared tools. Each call goes through the leaf's own
 * reader or shelf, which refuse what was not declared; what comes back is a block of data.
 */
import { z } from 'zod';
import type { LeafContext } from '../define/spec.ts';
import { isVendorTool } from '../define/tools.ts';
import type { ModelTool } from '../ports/asking.ts';
import type { JsonSchema, ServerTool } from '../ports/model.ts';
import { IsoDate } from '../protocol/task.ts';
import type { AgentDefinition, WebLimits } from './agent-definition.ts';
import type { Evidence } from './evidence.ts';
import { seriesText } from './series-text.ts';
import { dataBlock, visible } from '../protocol/data-block.ts';

const LONGEST_DESCRIPTION = 1_000;

export async function toolsOf(
  { sources, tools }: AgentDefinition,
  context: LeafContext,
  evidence: Evidence,
): Promise<ModelTool[]> {
  const declared = tools.some((name) => !isVendorTool(name)) ? await context.tools.list() : [];
  const names = wireNames(declared.map(({ name }) => name));
  const served = declared.map(({ name, description, input: inputSchema }, i): ModelTool => ({
    name: names[i] ?? '',
    description: described(description),
    inputSchema: seen(inputSchema) as JsonSchema,
    async run(input) {
      const { text, isError } = await context.tools.call(name, asObject(input));
      if (isError) throw new Error(dataBlock(name, text));
      return dataBlock(evidence.tool(name, text), text);
    },
  }));
  return sources.length === 0 ? served : [seriesTool(sources, context, evidence), ...served];
}

const LONGEST_NAME = 64;

/** As a model can say them: a server names its tools as it likes, and one odd name must not cost an agent the others. */
function wireNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const plain = name.replace('/', '__').replaceAll(/[^\w-]/g, '_');
    let given = plain.slice(0, LONGEST_NAME);
    for (let n = 2; taken.has(given); n++) given = `${plain.slice(0, LONGEST_NAME - `_${n}`.length)}_${n}`;
    taken.add(given);
    return given;
  });
}

const described = (text: string): string => visible(text).slice(0, LONGEST_DESCRIPTION).toWellFormed();

/** What a server says of its tool's parameters is text of others, too: shown without what people cannot see, and not at any length. */
function seen(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(seen);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      SAID.has(key) && typeof value === 'string' ? described(value) : seen(value),
    ]),
  );
}
const SAID: ReadonlySet<string> = new Set(['description', 'title', '$comment']);

const asObject = (input: unknown): { readonly [key: string]: unknown } =>
  typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as { [key: string]: unknown }) : {};

/** No date of the model's can make it look ahead: the reader knows the task's. */
function seriesTool(sources: readonly string[], context: LeafContext, evidence: Evidence): ModelTool {
  const Input = z.object({ id: z.string(), from: IsoDate.optional() });
  return {
    name: 'read_series',
    description: 'Reads a series as it was known at the as-of date: how it stands, and its latest observations.',
    inputSchema: {
      type: 'object',
      properties: {
        id: { type: 'string', enum: [...sources] },
        from: { type: 'string', description: 'Leave out observations before this date, YYYY-MM-DD' },
      },
      required: ['id'],
      additionalProperties: false,
    },
    async run(input) {
      const { id, from } = Input.parse(input);
      if (!sources.includes(id))
        context.alert(`asked for the source ${JSON.stringify(visible(id).slice(0, 128))}, which it did not declare`);
      const series = await context.sources.series(id);
      evidence.series(series);
      return dataBlock(id, seriesText(series, from));
    },
  };
}

export function serverToolsOf({ tools, limits }: AgentDefinition): ServerTool[] {
  return tools.filter(isVendorTool).map((name) => ({
    kind: name === 'web_search' ? 'web-search' : 'web-fetch',
    ...limitsOf(limits[name] ?? {}),
  }));
}

const limitsOf = ({ uses, tokens, domains, 'blocked-domains': blocked }: WebLimits): Omit<ServerTool, 'kind'> => ({
  ...(uses !== undefined && { maxUses: uses }),
  ...(tokens !== undefined && { maxContentTokens: tokens }),
  ...(domains && { allowedDomains: domains }),
  ...(blocked && { blockedDomains: blocked }),
});
