import { afterEach, describe, expect, it } from 'vitest';
import { anthropicBatches } from '../../../src/adapters/models/anthropic.ts';
import type { ModelRequest } from '../../../src/ports/model.ts';
import { faultOf } from '../../../src/tier/fault.ts';
import { messagesServer, type MessagesServer, type Reply, type ServerOptions } from '../../support/messages-server.ts';

let server: MessagesServer | undefined;
afterEach(() => server?.close());
async function batches(reply: (text: string) => Reply, options: ServerOptions = {}) {
  server = await messagesServer(({ body }) => reply(String(body.messages[0]?.content[0]?.['text'])), options);
  return anthropicBatches({ apiKey: 'k', baseURL: server.url, gatherMs: 10, pollMs: 5 });
}
const request = (text: string): ModelRequest => ({
  model: 'claude-sonnet-5-5',
  maxTokens: 1_000,
  system: [],
  messages: [{ role: 'user', text }],
  tools: [],
  serverTools: [],
});
const io = (): { abortSignal: AbortSignal } => ({ abortSignal: new AbortController().signal });

describe('batches', () => {
  it('gather what is asked within a moment, and hand each its answer', async () => {
    const adapter = await batches((text) => ({ content: `${text}!` }), { batchPolls: 3 });
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => adapter.ask(request(text), io())));
    expect(answers.map(({ text, usage }) => [text, usage.inputTokens])).toEqual([
      ['a!', 100],
      ['b!', 100],
      ['c!', 100],
    ]);
    expect(server?.batches).toMatchObject([{ ids: ['q0', 'q1', 'q2'] }]);
    expect(server?.batches[0]?.polls).toBeGreaterThanOrEqual(3);
    expect(server?.asked[0]?.body.stream).toBeUndefined();
  });

  it('cost half, except for searches', () => {
    const adapter = anthropicBatches({ apiKey: 'k' });
    expect(adapter.price?.('claude-sonnet-5-5')).toEqual({
      input: 1,
      output: 5,
      cacheRead: 0.05,
      cacheWrite: 1.25,
      webSearch: 10,
    });
    expect(adapter.price?.('claude-haiku-5-5')?.long).toEqual({
      above: 100_000,
      input: 0.25,
      output: 1.25,
      cacheWrite: 0.3125,
    });
    expect(adapter.price?.('unheard-of')).toBeUndefined();
  });

  it('one that fails is its own affair', async () => {
    const adapter = await batches((text) =>
      text === 'a' ? { error: { type: 'overloaded_error', message: 'Overloaded' } } : { content: 'fine' },
    );
    const [a, b] = await Promise.allSettled(['a', 'b'].map((text) => adapter.ask(request(text), io())));
    expect(faultOf(a?.status === 'rejected' ? a.reason : undefined)).toMatchObject({ diagnosis: 'rate-limited' });
    expect(b).toMatchObject({ status: 'fulfilled', value: { text: 'fine' } });
  });

  it('are cancelled when nobody waits any more, and not before', async () => {
    const adapter = await batches(() => ({ content: 'late' }), { batchPolls: 1_000_000 });
    const [first, second] = [new AbortController(), new AbortController()];
    const answers = [first, second].map(({ signal }) => adapter.ask(request('a'), { abortSignal: signal }));
    const ended = Promise.allSettled(answers);
    const polled = async (more: number): Promise<void> => {
      const until = (server?.batches[0]?.polls ?? 0) + more;
      while ((server?.batches[0]?.polls ?? 0) < until) await new Promise((done) => setTimeout(done, 2));
    };
    await polled(2);
    first.abort(new Error('enough'));
    await polled(2);
    expect(server?.batches[0]?.isCancelled).toBe(false);
    second.abort(new Error('enough'));
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    while (!server?.batches[0]?.isCancelled) await new Promise((done) => setTimeout(done, 2));
  });

  it('that cannot be begun fail for all, as they should', async () => {
    const adapter = anthropicBatches({ apiKey: 'k', baseURL: 'http://127.0.0.1:1', gatherMs: 1 });
    const thrown: unknown = await adapter.ask(request('a'), io()).catch((reason: unknown) => reason);
    expect(faultOf(thrown)).toMatchObject({ diagnosis: 'transient' });
  });
});
