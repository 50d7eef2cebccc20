/** Names of tools: what a leaf may declare, and what a scenario must offer for it. */
import { EspalierError } from '../errors.ts';
import type { ToolServer } from '../ports/tools.ts';
import { OBJECT, shown } from './check.ts';
import type { Child, Leaf } from './spec.ts';

/** Tools that whoever serves the model has itself: no server of the scenario's offers them. */
const VENDOR_TOOLS = ['web_search', 'web_fetch'] as const;
export type VendorTool = (typeof VENDOR_TOOLS)[number];
export const isVendorTool = (name: string): name is VendorTool => (VENDOR_TOOLS as readonly string[]).includes(name);
/** `files` of `files/read_file`, and of `files`. */
export const serverOf = (name: string): string => name.split('/', 1)[0] ?? name;

const SERVER = /^[A-Za-z0-9_-]{1,32}$/;
const NAME = /^[A-Za-z0-9_-]{1,32}(?:\/[A-Za-z0-9_.-]{1,64})?$/;

/** @throws EspalierError `invalid-definition` */
export function checkToolNames({ name, tools = [] }: Pick<Leaf, 'name' | 'tools'>): void {
  const wrong = tools.find((tool) => !NAME.test(tool));
  if (wrong === undefined) return;
  throw new EspalierError(
    'invalid-definition',
    `Leaf "${name}" declares the tool ${JSON.stringify(wrong)}. Write "server", "server/tool", or one of ${VENDOR_TOOLS.join(', ')}.`,
  );
}

/** @throws EspalierError `invalid-definition` */
export function checkToolServers(owner: string, servers: Readonly<Record<string, ToolServer>> = {}): void {
  for (const [name, server] of Object.entries(servers)) {
    const fail = (what: string, remedy: string): never => {
      throw new EspalierError('invalid-definition', `${owner} has ${what}. ${remedy}`);
    };
    if (!SERVER.test(name) || isVendorTool(name)) {
      fail(
        `tools named ${JSON.stringify(name)}`,
        'Use 1 to 32 letters, digits, "_" or "-", and no name of a model\'s own tool.',
      );
    }
    if (!OBJECT.isMet(server) || typeof server.open !== 'function') {
      fail(`tools.${name}: ${shown(server)}`, 'Give a tool server, such as mcpServer({ … }).');
    }
  }
}

/**
 * A tool that nobody offers would fail every attempt: most likely its name is misspelt.
 * @throws EspalierError `invalid-definition`
 */
export function checkToolsAreKnown(
  children: readonly Child[],
  servers: Readonly<Record<string, ToolServer>> = {},
): void {
  for (const child of children) {
    if (child.kind === 'domain') {
      checkToolsAreKnown([...child.children, ...(child.reinvestigate?.leaves ?? [])], servers);
      continue;
    }
    const unknown = child.tools?.find((tool) => !isVendorTool(tool) && !Object.hasOwn(servers, serverOf(tool)));
    if (unknown === undefined) continue;
    throw new EspalierError(
      'invalid-definition',
      `Leaf "${child.name}" declares the tool "${unknown}", which the scenario does not offer (it offers ${Object.keys(servers).join(', ') || 'none'}). Add it to the scenario's tools.`,
    );
  }
}
