/**
 * A server of the Model Context Protocol as tools: a process that is started for the run, or one that is reached over
 * streamable HTTP. Needs the optional peer `@modelcontextprotocol/sdk`.
 *  1. Opened on first use, closed with the run. Of a process nothing is left then, of what it has started neither.
 *  2. A process is given the few variables that any program needs and those named for it: no key of ours.
 *  3. What a server says is text for a tool's answer. Requests of its own (sampling, roots, elicitation) it may not make.
 */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { CallToolResult, ContentBlock, Tool as ListedTool } from '@modelcontextprotocol/sdk/types.js';
import { OBJECT, shown } from '../../define/check.ts';
import { EspalierError } from '../../errors.ts';
import type { OpenToolServer, Tool, ToolAnswer, ToolServer } from '../../ports/tools.ts';
import { HOST_VERSION } from '../../version.ts';
import { StdioTransport } from './stdio-transport.ts';

export type McpServerOptions =
  | {
      /** A program and its arguments: `{ command: 'npx', args: ['-y', 'server'] }`. */
      readonly command: string;
      readonly args?: readonly string[];
      /** Given to it besides PATH, HOME and the like. */
      readonly env?: Readonly<Record<string, string>>;
      readonly cwd?: string;
    }
  | {
      /** Of a server that speaks streamable HTTP. */
      readonly url: string | URL;
      readonly headers?: Readonly<Record<string, string>>;
    };

const OPENING_MS = 30_000;
const CALL_MS = 60_000;
const CLOSING_MS = 2_000;
const MOST_PAGES = 100;
const SHORTEST_SECRET = 6;

/**
 * Tools of an MCP server, for a scenario's `tools`.
 * @throws EspalierError `invalid-definition`
 * @example defineScenario({ …, tools: { files: mcpServer({ command: 'npx', args: ['-y', 'some-server', folder] }) } })
 */
export function mcpServer(options: McpServerOptions): ToolServer {
  checkOptions(options);
  return { open: ({ abortSignal }) => open(options, abortSignal) };
}

async function open(options: McpServerOptions, abortSignal: AbortSignal): Promise<OpenToolServer> {
  const { Client } = await peer(() => import('@modelcontextprotocol/sdk/client/index.js'));
  const client = new Client({ name: 'espalier', version: HOST_VERSION });
  const transport = await transportFor(options);
  let isLost = false;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client is no event target
  client.onclose = () => (isLost = true);
  const close = async (): Promise<void> => {
    await transport.end().catch(() => {});
    await client.close().catch(() => {});
  };
  try {
    const io = { signal: abortSignal, timeout: OPENING_MS };
    await client.connect(transport.transport, io);
    const tools = (await listed(client, io)).map((tool) => toolOf(client, tool));
    return { tools, close, isLost: () => isLost };
  } catch (cause) {
    await close();
    abortSignal.throwIfAborted();
    throw unreachable(options, cause, transport.lastWords());
  }
}

type Reach = { transport: Transport; end(): Promise<void>; lastWords(): string };

async function transportFor(options: McpServerOptions): Promise<Reach> {
  if ('command' in options) {
    const { command, args, env, cwd } = options;
    const wire = await peer(() => import('@modelcontextprotocol/sdk/shared/stdio.js'));
    const { getDefaultEnvironment } = await peer(() => import('@modelcontextprotocol/sdk/client/stdio.js'));
    const transport = new StdioTransport({ command, args, cwd, env: { ...getDefaultEnvironment(), ...env } }, wire);
    // Not left to the client: one whose server has died has nothing to close, and what that had started lives on.
    return { transport, end: () => transport.close(), lastWords: transport.lastWords };
  }
  const { StreamableHTTPClientTransport } = await peer(
    () => import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
  );
  const { url, headers } = options;
  const transport = new StreamableHTTPClientTransport(new URL(url), { ...(headers && { requestInit: { headers } }) });
  return { transport, end: () => within(CLOSING_MS, transport.terminateSession()), lastWords: () => '' };
}

async function listed(client: Client, io: { signal: AbortSignal; timeout: number }): Promise<ListedTool[]> {
  const tools: ListedTool[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { tools: more, nextCursor } = await client.listTools(cursor === undefined ? {} : { cursor }, io);
    tools.push(...more);
    cursor = nextCursor;
    if (cursor === undefined) break;
  }
  return tools;
}

const toolOf = (client: Client, { name, description = '', inputSchema }: ListedTool): Tool => ({
  name,
  description,
  input: inputSchema,
  async call(input, { abortSignal }) {
    const io = { signal: abortSignal, timeout: CALL_MS };
    return answerOf((await client.callTool({ name, arguments: input }, undefined, io)) as CallToolResult);
  },
});

function answerOf({ content, structuredContent, isError }: CallToolResult): ToolAnswer {
  const texts = content.map(textOf);
  const text = texts.length > 0 ? texts.join('\n') : structuredContent ? JSON.stringify(structuredContent) : '';
  return { text, ...(isError === true && { isError: true as const }) };
}

function textOf(block: ContentBlock): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'resource':
      return 'text' in block.resource
        ? block.resource.text
        : `[${block.resource.mimeType ?? 'bytes'} at ${block.resource.uri}]`;
    case 'resource_link':
      return `[${block.name} at ${block.uri}]`;
    default:
      return `[${block.type}]`;
  }
}

async function peer<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new EspalierError(
      'missing-peer',
      'Tools over MCP need the package @modelcontextprotocol/sdk. Install it: npm install @modelcontextprotocol/sdk.',
      { cause },
    );
  }
}

/** What a server was given to itself is in nothing that is said of it. */
function withoutSecrets(options: McpServerOptions, text: string): string {
  const given = Object.values(('command' in options ? options.env : options.headers) ?? {});
  const secrets = given
    .flatMap((value) => [value, ...value.split(' ')])
    .filter(({ length }) => length >= SHORTEST_SECRET);
  return secrets.reduce((said, secret) => said.replaceAll(secret, '***'), text);
}

function unreachable(options: McpServerOptions, cause: unknown, words: string): Error {
  const what = 'command' in options ? `"${options.command}"` : `at ${new URL(options.url).origin}`;
  const why = cause instanceof Error ? cause.message : String(cause);
  const said = words === '' ? '' : ` It said: ${words.replace(/\.$/, '')}.`;
  const message = withoutSecrets(
    options,
    `The MCP server ${what} could not be opened: ${why.replace(/\.$/, '')}.${said}`,
  );
  // A program that is not there will not be there a moment later; a server somewhere else may be.
  if ('url' in options && !isRefusal(cause)) return Object.assign(new Error(message), { diagnosis: 'transient' });
  return new EspalierError('unknown-tool', `${message} Correct its entry in the scenario's tools.`);
}

const isRefusal = (cause: unknown): boolean => {
  const code: unknown = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return typeof code === 'number' && code >= 400 && code < 500 && code !== 408 && code !== 429;
};

function checkOptions(options: unknown): void {
  const fail = (what: string, remedy: string): never => {
    throw new EspalierError('invalid-definition', `mcpServer ${what}. ${remedy}`);
  };
  if (!OBJECT.isMet(options)) fail(`was given ${shown(options)}`, 'Give { command, args } or { url }.');
  const { command, url } = options as { command?: unknown; url?: unknown };
  if ((command === undefined) === (url === undefined)) fail('takes either command or url', 'Give one of them.');
  if (command !== undefined && (typeof command !== 'string' || command === '')) {
    fail(`has command: ${shown(command)}`, 'Give the name or path of a program.');
  }
  if (url === undefined) return;
  const text = url instanceof URL ? url.href : url;
  if (typeof text !== 'string' || !/^https?:\/\//.test(text) || !URL.canParse(text)) {
    fail(`has url: ${shown(url)}`, 'Give an http or https URL.');
  }
}

const within = (ms: number, promise: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};
