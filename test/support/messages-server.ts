/** A small server that speaks the Messages API over HTTP: streams, headers, usage, errors, token counts, batches. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Block =
  | { type: 'text'; text: string; citations?: unknown[] }
  | { type: 'tool_use'; id: string; name: string; input: unknown }
  | { [key: string]: unknown; type: string };
type Usage = {
  input_tokens?: number;
  output_tokens?: number;
  cache_read_input_tokens?: number;
  cache_creation_input_tokens?: number;
  server_tool_use?: { web_search_requests: number };
};
export type Reply = {
  /** Text, or blocks. Default: none. */
  content?: string | readonly Block[];
  stop?: string;
  details?: unknown;
  usage?: Usage;
  headers?: Record<string, string>;
  /** An answer that is no stream. */
  status?: number;
  error?: { type: string; message: string };
  /** Sent as it is, with status 200. */
  raw?: string;
  /** After so many events: what the stream does instead of going on. */
  after?: { events: number; does: 'cut' | 'stall' | 'overload' };
};
export type Body = {
  model: string;
  max_tokens: number;
  stream?: boolean;
  system?: { text: string; cache_control?: unknown }[];
  messages: { role: string; content: { [key: string]: unknown; type: string }[] }[];
  tools?: { [key: string]: unknown; name: string }[];
  output_config?: { effort?: string; format?: { schema: unknown } };
};
export type Asked = { body: Body; headers: IncomingMessage['headers']; count: number };
export type MessagesServer = {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** What answers said that they used, as far as they came: it is billed. */
  readonly used: { input: number; output: number; cacheRead: number; cacheWrite: number; searches: number };
  /** Requests that have neither been answered nor left. */
  readonly open: () => number;
  readonly batches: { id: string; ids: string[]; polls: number; isCancelled: boolean }[];
  close(): Promise<void>;
};
export type ServerOptions = {
  /** What a prompt is counted as. */
  count?: (body: Body) => number;
  /** How often a batch is looked at before it has ended. */
  batchPolls?: number;
};

const USAGE: Required<Pick<Usage, 'input_tokens' | 'output_tokens'>> = { input_tokens: 100, output_tokens: 20 };

export async function messagesServer(
  reply: (asked: Asked) => Reply | Promise<Reply>,
  { count = () => 100, batchPolls = 1 }: ServerOptions = {},
): Promise<MessagesServer> {
  const asked: Asked[] = [];
  const used = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, searches: 0 };
  const batches: MessagesServer['batches'] = [];
  const results = new Map<string, unknown[]>();
  let open = 0;

  const book = ({ usage = {} }: Reply): void => {
    used.input += usage.input_tokens ?? USAGE.input_tokens;
    used.output += usage.output_tokens ?? USAGE.output_tokens;
    used.cacheRead += usage.cache_read_input_tokens ?? 0;
    used.cacheWrite += usage.cache_creation_input_tokens ?? 0;
    used.searches += usage.server_tool_use?.web_search_requests ?? 0;
  };
  const answer = async (request: IncomingMessage, body: Body): Promise<[Asked, Reply]> => {
    const one: Asked = { body, headers: request.headers, count: asked.length + 1 };
    asked.push(one);
    return [one, await reply(one)];
  };

  const server = createServer((request, response) => {
    open++;
    response.once('close', () => open--);
    void serve(request, response).catch(() => response.destroy());
  });
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    const text = await textOf(request);
    const json = (value: unknown, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (path === '/v1/messages/count_tokens') return json({ input_tokens: count(JSON.parse(text) as Body) });
    if (path === '/v1/messages/batches') return json(await beginBatch(request, text));
    const [, id, verb] = /^\/v1\/messages\/batches\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const batch = batches.find((one) => one.id === id);
    if (batch && verb === 'cancel') {
      batch.isCancelled = true;
      return json(stateOf(batch));
    }
    if (batch && verb === 'results') {
      response.writeHead(200, { 'content-type': 'application/x-jsonl' });
      response.end((results.get(batch.id) ?? []).map((line) => `${JSON.stringify(line)}\n`).join(''));
      return undefined;
    }
    if (batch) {
      batch.polls++;
      return json(stateOf(batch));
    }
    const [one, given] = await answer(request, JSON.parse(text) as Body);
    return send(one, given, response);
  }

  async function beginBatch(request: IncomingMessage, text: string): Promise<unknown> {
    const { requests } = JSON.parse(text) as { requests: { custom_id: string; params: Body }[] };
    const id = `msgbatch_${batches.length}`;
    const batch = { id, ids: requests.map(({ custom_id }) => custom_id), polls: 0, isCancelled: false };
    batches.push(batch);
    const lines = await Promise.all(
      requests.map(async ({ custom_id, params }) => {
        const [one, given] = await answer(request, params);
        if (given.error) {
          const error = { type: 'error', error: given.error };
          return { custom_id, result: { type: 'errored', error } };
        }
        book(given);
        return { custom_id, result: { type: 'succeeded', message: messageOf(one, given) } };
      }),
    );
    results.set(id, lines);
    return stateOf(batch);
  }
  const stateOf = ({ id, polls, isCancelled }: MessagesServer['batches'][number]): unknown => ({
    id,
    type: 'message_batch',
    processing_status: isCancelled || polls >= batchPolls ? 'ended' : 'in_progress',
    request_counts: { processing: 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
    created_at: new Date(0).toISOString(),
    expires_at: new Date(0).toISOString(),
    results_url: `${url}/v1/messages/batches/${id}/results`,
  });

  async function send(one: Asked, given: Reply, response: ServerResponse): Promise<void> {
    const { headers = {}, error, status = error ? 400 : 200, raw, after } = given;
    if (error) {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify({ type: 'error', error, request_id: 'req_1' }));
      return;
    }
    if (raw !== undefined) {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(raw);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    const write = (event: { type: string }): unknown =>
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    let sent = 0;
    for (const event of eventsOf(one, given)) {
      if (after && sent++ === after.events) {
        if (after.events > 0) book({ usage: { ...given.usage, output_tokens: 1 } });
        if (after.does === 'stall') return;
        if (after.does === 'overload') {
          write({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } as { type: string });
          response.end();
        } else {
          response.socket?.end(); // after what was written: the client has read that before it is cut off
        }
        return;
      }
      write(event);
    }
    book(given);
    response.end();
  }

  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    used,
    batches,
    open: () => open,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

const blocksOf = ({ content = [] }: Reply): readonly Block[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

function messageOf({ body, count }: Asked, given: Reply): object {
  const blocks = blocksOf(given);
  return {
    id: `msg_${count}`,
    type: 'message',
    role: 'assistant',
    model: body.model,
    content: blocks,
    stop_reason: given.stop ?? (blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'),
    stop_details: given.details ?? null,
    stop_sequence: null,
    usage: { ...USAGE, ...given.usage },
  };
}

function* eventsOf(asked: Asked, given: Reply): Generator<{ type: string; [key: string]: unknown }> {
  const message = messageOf(asked, given) as { usage: Usage; stop_reason: string; stop_details: unknown };
  const { usage, stop_reason, stop_details } = message;
  const start = {
    ...message,
    content: [],
    stop_reason: null,
    stop_details: null,
    usage: { ...usage, output_tokens: 1 },
  };
  yield { type: 'message_start', message: start };
  for (const [index, block] of blocksOf(given).entries()) {
    if (block.type === 'text') {
      const { text, citations = [] } = block as { text: string; citations?: unknown[] };
      yield { type: 'content_block_start', index, content_block: { type: 'text', text: '', citations: [] } };
      for (const citation of citations) {
        yield { type: 'content_block_delta', index, delta: { type: 'citations_delta', citation } };
      }
      const half = Math.ceil(text.length / 2);
      for (const part of [text.slice(0, half), text.slice(half)]) {
        yield { type: 'content_block_delta', index, delta: { type: 'text_delta', text: part } };
      }
    } else if (block.type === 'tool_use') {
      yield { type: 'content_block_start', index, content_block: { ...block, input: {} } };
      const partial_json = JSON.stringify((block as { input: unknown }).input);
      yield { type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json } };
    } else {
      yield { type: 'content_block_start', index, content_block: block };
    }
    yield { type: 'content_block_stop', index };
  }
  yield { type: 'message_delta', delta: { stop_reason, stop_details, stop_sequence: null }, usage };
  yield { type: 'message_stop' };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
