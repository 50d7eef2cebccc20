/**
 * What an agent's model can call: its declared sources, and its declared tools. Each call goes through the leaf's own
 * reader or shelf, which refuse what was not declared; what comes back is a block of data.
 */
import { z } from 'zod';
import type { LeafContext } from '../define/spec.ts';
import { isVendorTool } from '../define/tools.ts';
import type { ModelTool } from '../ports/asking.ts';
import type { ServerTool } from '../ports/model.ts';
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
  const served = declared.map(({ name, description, input: inputSchema }): ModelTool => ({
    name: wireName(name),
    description: visible(description).slice(0, LONGEST_DESCRIPTION),
    inputSchema,
    async run(input) {
      const { text, isError } = await context.tools.call(name, asObject(input));
      if (isError) throw new Error(dataBlock(name, text));
      return dataBlock(evidence.tool(name, text), text);
    },
  }));
  return sources.length === 0 ? served : [seriesTool(sources, context, evidence), ...served];
}

/** Names on the wire hold no slash. */
const wireName = (name: string): string => name.replace('/', '__').replaceAll('.', '_');
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
