import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anthropic, type AnthropicOptions } from '../../../src/adapters/models/anthropic.ts';
import type { ModelRequest, ModelUsage } from '../../../src/ports/model.ts';
import { faultOf } from '../../../src/tier/fault.ts';
import { messagesServer, type MessagesServer, type Reply, type ServerOptions } from '../../support/messages-server.ts';

const KEY = 'key-that-nobody-may-see';
let server: MessagesServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
async function claude(replies: Reply | readonly Reply[], options: Partial<AnthropicOptions> & ServerOptions = {}) {
  const list = Array.isArray(replies) ? (replies as Reply[]) : [replies as Reply];
  const { count, ...rest } = options;
  server = await messagesServer(({ count: n }) => list[Math.min(n, list.length) - 1] ?? {}, {
    ...(count && { count }),
  });
  return anthropic({ apiKey: KEY, baseURL: server.url, ...rest });
}
const request = (more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: 'claude-haiku-5-5',
  maxTokens: 1_000,
  system: [],
  messages: [{ role: 'user', text: 'how many?' }],
  tools: [],
  serverTools: [],
  ...more,
});
const io = (): { abortSignal: AbortSignal } => ({ abortSignal: new AbortController().signal });
const ask = async (replies: Reply | readonly Reply[], more: Partial<ModelRequest> = {}, options = {}) =>
  (await claude(replies, options)).ask(request(more), io());
const faultIn = async (reply: Reply, options: Partial<AnthropicOptions> = {}) => {
  const adapter = await claude(reply, options);
  let used: ModelUsage | undefined;
  const error: unknown = await adapter.ask(request(), { ...io(), used: (usage) => (used = usage) }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, fault: faultOf(error), used };
};

describe('what is asked', () => {
  it('streams, with model, effort, system, tools, shape and the key, and looks for no other key', async () => {
    process.env['ANTHROPIC_AUTH_TOKEN'] = 'another';
    await ask(
      { content: '{"people":3}' },
      {
        effort: 'low',
        system: [{ text: 'shared', isShared: true }, { text: 'own' }],
        tools: [{ name: 'look', description: 'Looks up.', inputSchema: { type: 'object', properties: {} } }],
        serverTools: [
          { kind: 'web-search', maxUses: 2, allowedDomains: ['example.org'] },
          { kind: 'web-fetch', maxContentTokens: 900 },
        ],
        output: z.object({ people: z.int() }),
      },
    ).finally(() => delete process.env['ANTHROPIC_AUTH_TOKEN']);
    const { body, headers } = server?.asked[0] ?? {};
    expect(headers?.authorization).toBe(`Bearer ${KEY}`);
    expect(body).toMatchObject({
      model: 'claude-haiku-5-5',
      max_tokens: 1_000,
      stream: true,
      system: [{ text: 'shared', cache_control: { type: 'ephemeral' } }, { text: 'own' }],
      messages: [{ role: 'user', content: [{ text: 'how many?', cache_control: { type: 'ephemeral' } }] }],
      output_config: { effort: 'low', format: { type: 'json_schema', schema: { required: ['people'] } } },
    });
    expect(body?.system?.[1]).toEqual({ type: 'text', text: 'own' });
    expect(body?.tools).toEqual([
      { name: 'look', description: 'Looks up.', input_schema: { type: 'object', properties: {} } },
      {
        type: 'web_search_20260318',
        name: 'web_search',
        max_uses: 2,
        allowed_callers: ['direct'],
        allowed_domains: ['example.org'],
      },
      {
        type: 'web_fetch_20260318',
        name: 'web_fetch',
        max_uses: 5,
        allowed_callers: ['direct'],
        max_content_tokens: 900,
      },
    ]);
  });

  it('sends back what was said, and what tools gave', async () => {
    const said = [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: { of: 'oslo' } }];
    await ask(
      {},
      {
        messages: [
          { role: 'user', text: 'how many?' },
          { role: 'assistant', content: said },
          { role: 'tools', results: [{ id: 'toolu_1', text: 'no', isError: true }] },
        ],
      },
    );
    expect(server?.asked[0]?.body.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'how many?' }] },
      { role: 'assistant', content: said },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'no', is_error: true }] },
    ]);
  });

  it.each([
    [
      'a record',
      z.object({ by: z.object({ year: z.record(z.string(), z.number()) }) }),
      '"by"."year" is an object of any keys',
    ],
    ['a record in a list', z.array(z.record(z.string(), z.number())), 'it is an object of any keys'],
    ['a tuple of a date', z.object({ at: z.date() }), 'has no JSON schema'],
  ])('refuses %s, which no model can be held to', async (_, output, message) => {
    await expect(ask({}, { output })).rejects.toMatchObject({
      code: 'invalid-definition',
      message: expect.stringContaining(message),
    });
    expect(server?.asked).toHaveLength(0);
  });

  it('is counted before, when somebody wants to know', async () => {
    const adapter = await claude({}, { count: ({ messages }) => messages.length * 7 });
    expect(await adapter.countTokens?.(request(), io())).toBe(7);
  });
});

describe('what is answered', () => {
  it('is text, usage and limits', async () => {
    const at = Date.parse('2026-11-26T10:00:00Z');
    const date = new Date(at).toUTCString();
    const reset = new Date(at + 30_000).toISOString();
    const answer = await ask({
      content: [
        { type: 'text', text: 'thr' },
        { type: 'text', text: 'ee' },
      ],
      usage: {
        input_tokens: 10,
        output_tokens: 4,
        cache_read_input_tokens: 5,
        cache_creation_input_tokens: 6,
        server_tool_use: { web_search_requests: 2 },
      },
      headers: {
        date,
        'anthropic-ratelimit-requests-limit': '50',
        'anthropic-ratelimit-requests-remaining': '49',
        'anthropic-ratelimit-requests-reset': reset,
      },
    });
    expect(answer).toMatchObject({
      outcome: 'ended',
      text: 'three',
      usage: { inputTokens: 10, outputTokens: 4, cacheReadTokens: 5, cacheWriteTokens: 6, webSearches: 2 },
      limits: [{ of: 'requests', limit: 50, remaining: 49, resetMs: 30_000 }],
    });
  });

  it.each([
    ['max_tokens', { outcome: 'truncated', why: 'max_tokens' }],
    ['model_context_window_exceeded', { outcome: 'truncated', why: 'model_context_window_exceeded' }],
    ['pause_turn', { outcome: 'paused' }],
    ['refusal', { outcome: 'refusal', why: 'cyber: not that' }],
    ['stop_sequence', { outcome: 'ended' }],
  ])('tells %s apart', async (stop, outcome) => {
    const answer = await ask({
      content: 'half',
      stop,
      details: { type: 'refusal', category: 'cyber', explanation: 'not that' },
    });
    expect(answer).toMatchObject({ ...outcome, usage: { inputTokens: 100, outputTokens: 20 } });
  });

  it('holds calls of tools, and content to be sent back', async () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { of: 'oslo' } } as const;
    const answer = await ask({ content: [{ type: 'text', text: 'let me see' }, call] });
    expect(answer).toMatchObject({
      outcome: 'tool-calls',
      calls: [{ id: 'toolu_1', name: 'look', input: { of: 'oslo' } }],
    });
    expect(answer.content).toMatchObject([{ type: 'text' }, call]);
  });

  it('cites what was searched and what was fetched, each once', async () => {
    const found = {
      type: 'web_search_result_location',
      url: 'https://a.example',
      title: 'A',
      cited_text: 'so',
      encrypted_index: 'x',
    };
    const read = {
      type: 'char_location',
      document_index: 0,
      document_title: null,
      cited_text: 'and so',
      start_char_index: 0,
      end_char_index: 6,
      file_id: null,
    };
    const page = {
      type: 'web_fetch_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: { type: 'web_fetch_result', url: 'https://b.example/page', content: {}, retrieved_at: null },
    };
    const { citations } = await ask({
      content: [
        page,
        { type: 'text', text: 'so', citations: [found, found] },
        { type: 'text', text: 'and so', citations: [read] },
      ],
    });
    expect(citations).toEqual([
      { url: 'https://a.example', title: 'A', citedText: 'so' },
      { url: 'https://b.example/page', citedText: 'and so' },
    ]);
  });
});

describe('what goes wrong', () => {
  const error = (type: string, message = 'so it is') => ({ type, message });

  it.each([
    [
      '429',
      { status: 429, error: error('rate_limit_error'), headers: { 'retry-after': '2' } },
      { diagnosis: 'rate-limited', retryAfterMs: 2_000 },
    ],
    [
      '429 in ms',
      { status: 429, error: error('rate_limit_error'), headers: { 'retry-after-ms': '70' } },
      { diagnosis: 'rate-limited', retryAfterMs: 70 },
    ],
    ['529', { status: 529, error: error('overloaded_error') }, { diagnosis: 'rate-limited' }],
    ['an overload midway', { content: 'abc', after: { events: 3, does: 'overload' } }, { diagnosis: 'rate-limited' }],
    ['a stream that is cut', { content: 'abc', after: { events: 3, does: 'cut' } }, { diagnosis: 'transient' }],
    ['a stream that is cut at once', { content: 'abc', after: { events: 0, does: 'cut' } }, { diagnosis: 'transient' }],
    ['no JSON', { raw: '{"type":"message' }, { diagnosis: 'transient' }],
    ['500', { status: 500, error: error('api_error') }, { diagnosis: 'transient' }],
    [
      'a prompt that is too long',
      { status: 400, error: error('invalid_request_error', 'prompt is too long: 3 tokens') },
      { diagnosis: 'out-of-context' },
    ],
    ['a request that is too big', { status: 413, error: error('request_too_large') }, { diagnosis: 'out-of-context' }],
    ['a wrong request', { status: 400, error: error('invalid_request_error') }, { isFinal: true }],
    ['a wrong key', { status: 401, error: error('authentication_error', `${KEY} is unknown`) }, { isFinal: true }],
    ['an unknown model', { status: 404, error: error('not_found_error') }, { isFinal: true }],
  ] satisfies [string, Reply, object][])('%s is told by its fields, never with the key', async (_, reply, fields) => {
    const { error: thrown, fault } = await faultIn(reply);
    expect(fault).toMatchObject({ status: 'error', ...fields });
    expect(fault.message).toMatch(/^Anthropic: /);
    expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain(KEY);
    expect(server?.asked).toHaveLength(1); // nothing is tried again here
  });

  it('a stream that stands still is given up, and what had been used is known', async () => {
    const { used, fault } = await faultIn({ content: 'abc', after: { events: 3, does: 'stall' } }, { idleMs: 1_000 });
    expect(fault).toMatchObject({ diagnosis: 'transient', message: 'Anthropic: the stream said nothing for 1000 ms' });
    expect(used).toMatchObject({ inputTokens: 100, outputTokens: 1 });
  });

  it('what was cut or overloaded midway had been used as well', async () => {
    for (const does of ['cut', 'overload'] as const) {
      const { used } = await faultIn({ content: 'abc', after: { events: 3, does } });
      expect(used).toMatchObject({ inputTokens: 100, outputTokens: 1 });
      await server?.close();
    }
  });

  it('of an answer that was cut off all that had come counts, though nobody has said how many tokens it was', async () => {
    const { used } = await faultIn({ content: 'abcd'.repeat(1_000), after: { events: 3, does: 'cut' } }); // half of it
    expect(used).toMatchObject({ inputTokens: 100, outputTokens: 500 });
  });

  it('a server that is not there', async () => {
    const adapter = anthropic({ apiKey: KEY, baseURL: 'http://127.0.0.1:1' });
    const thrown: unknown = await adapter.ask(request(), io()).catch((reason: unknown) => reason);
    expect(faultOf(thrown)).toMatchObject({ diagnosis: 'transient' });
  });

  it('is broken off with its signal, and closes the connection', async () => {
    const adapter = await claude({ content: 'abc', after: { events: 2, does: 'stall' } });
    const abort = new AbortController();
    const answer = adapter.ask(request(), { abortSignal: abort.signal });
    answer.catch(() => {});
    while (server?.asked.length === 0) await new Promise((done) => setImmediate(done));
    abort.abort(new Error('enough'));
    await expect(answer).rejects.toThrow();
    while (server?.open()) await new Promise((done) => setImmediate(done));
  });

  it.each(['sk-ant-secret\nx', 'sk-ant-secret ', 'sk-ant-secret…'])(
    'does not send a key that cannot be one, nor show it: %j',
    async (apiKey) => {
      const adapter = anthropic({ apiKey });
      const thrown: unknown = await adapter.ask(request(), io()).catch((reason: unknown) => reason);
      expect(thrown).toMatchObject({ code: 'invalid-input', message: expect.stringContaining('cannot be sent') });
      expect(String(thrown)).not.toContain('secret');
      expect(() => adapter.checkReady?.()).toThrow('Copy ANTHROPIC_API_KEY again.');
    },
  );

  it('names an address that is none before anything is asked', () => {
    const adapter = anthropic({ apiKey: KEY, baseURL: 'api.example.org' });
    expect(() => adapter.checkReady?.()).toThrow(
      'was given baseURL: the text "api.example.org". Give an http or https URL',
    );
  });

  it.each([undefined, '', ' '])('says where a key is to come from when there is %j', async (apiKey) => {
    const adapter = anthropic({ apiKey });
    const told = /Set ANTHROPIC_API_KEY, and give apiKey: process\.env\.ANTHROPIC_API_KEY/;
    expect(() => adapter.checkReady?.()).toThrow(told);
    await expect(adapter.ask(request(), io())).rejects.toThrow(told);
    expect(adapter.price?.('claude-opus-5-5-20260901')).toMatchObject({ input: 4, output: 20 });
  });
});
