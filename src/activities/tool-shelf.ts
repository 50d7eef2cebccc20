/**
 * A leaf's only way to tools.
 *  1. Only what the leaf declared is listed or called: `server` for all tools of one, or `server/tool`.
 *  2. A call of anything else is refused, with an integrity alert, whoever asked for it.
 */
import { isVendorTool, serverOf } from '../define/tools.ts';
import { EspalierError } from '../errors.ts';
import type { ToolCalled } from '../ports/activities.ts';
import type { Tool, ToolShelf } from '../ports/tools.ts';
import { faultOf } from '../tier/fault.ts';
import type { OpenTools } from './open-tools.ts';

export type ToolShelfOptions = {
  /** Names that the leaf declared. */
  declared: readonly string[];
  open: OpenTools;
  abortSignal: AbortSignal;
  onUndeclared: (name: string) => void;
  /** Told of every call, and, by what it returns, of its end. */
  watch?: (name: string) => (called: ToolCalled) => void;
};

export function toolShelf({ declared, open, abortSignal, onUndeclared, watch }: ToolShelfOptions): ToolShelf {
  const own = declared.filter((name) => !isVendorTool(name));
  const allows = (name: string): boolean => own.includes(name) || own.includes(serverOf(name));
  const list = async (): Promise<Tool[]> => {
    const servers = [...new Set(own.map(serverOf))];
    const all = await Promise.all(
      servers.map(async (name) => {
        const { tools } = await open.server(name, abortSignal);
        return tools.map((tool) => ({ ...tool, name: `${name}/${tool.name}` }));
      }),
    );
    const found = all.flat().filter(({ name }) => allows(name));
    const missing = own.find((name) => name.includes('/') && !found.some((tool) => tool.name === name));
    if (missing !== undefined) throw unknownTool(missing, all.flat());
    return found;
  };
  return {
    list,
    async call(name, input) {
      if (!allows(name)) {
        onUndeclared(name);
        throw new EspalierError(
          'undeclared-tool',
          `"${name}" is not among this leaf's tools (${own.join(', ') || 'none'}). Add it to \`tools\` in its definition.`,
        );
      }
      const tool = (await list()).find((one) => one.name === name);
      if (!tool) throw unknownTool(name, []);
      const end = watch?.(name);
      try {
        const answer = await tool.call(input, { abortSignal });
        end?.({ status: answer.isError ? 'error' : 'complete' });
        return answer;
      } catch (error) {
        end?.({ status: faultOf(error).status });
        throw error;
      }
    },
  };
}

const unknownTool = (name: string, tools: readonly Tool[]): EspalierError =>
  new EspalierError(
    'unknown-tool',
    `There is no tool "${name}" (there are ${tools.map((tool) => tool.name).join(', ') || 'none'}). Correct it in the definition.`,
  );
