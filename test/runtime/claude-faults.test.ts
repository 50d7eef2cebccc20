/** Runs whose leaves ask Claude over HTTP, with a server that fails in every way: each has its end, and is paid for once. */
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anthropic } from '../../src/adapters/models/anthropic.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { defineTool } from '../../src/define/define-tool.ts';
import type { ModelQuestion } from '../../src/ports/asking.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { run, type InProcessOptions } from '../../src/runtime/in-process/start.ts';
import { messagesServer, type Asked, type MessagesServer, type Reply } from '../support/messages-server.ts';

let server: MessagesServer | undefined;
afterEach(() => server?.close());

const Answer = z.object({ says: z.string() });
const FINE: Reply = { content: '{"says":"fine"}' };
const look = defineTool({
  name: 'look',
  description: 'Looks.',
  input: z.object({}),
  run: () => {
    throw new Error('nothing to see');
  },
});
const CALL: Reply = { content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }] };
const promptOf = ({ body }: Asked): string => String(body.messages[0]?.content[0]?.['text']);
const lastOf = ({ body }: Asked) => body.messages.at(-1)?.content.at(-1);

type Trouble = (asked: Asked, count: number) => Reply;
/** Two domains of two leaves that ask; the questions of `root/d0/l0` meet with trouble, the others are answered. */
/** `idleMs`: short only where a stream is to stand still, because the machine may be slow. */
async function troubled(
  trouble: Trouble,
  { idleMs, ...options }: InProcessOptions & { idleMs?: number } = {},
  question: Partial<ModelQuestion> = {},
) {
  let count = 0;
  server = await messagesServer((asked) => (promptOf(asked).startsWith('root/d0/l0') ? trouble(asked, ++count) : FINE));
  const leaf = (name: string) =>
    defineLeaf({
      name,
      asks: true,
      async run({ task, model }) {
        const { value } = await model.ask({ prompt: task.path, output: Answer, maxTurns: 3, ...question });
        return { statement: value.says };
      },
    });
  const scenario = defineScenario({
    name: 'troubled',
    thesis: 'It holds',
    domains: ['d0', 'd1'].map((name) => defineDomain({ name, charter: name, children: [leaf('l0'), leaf('l1')] })),
    models: { adapter: anthropic({ apiKey: 'k', baseURL: server.url, idleMs: idleMs ?? 60_000 }) },
  });
  const events: RunEvent[] = [];
  const began = Date.now();
  const { brief, status } = await run(scenario, {
    random: () => 0,
    ...options,
    onEvent: (event) => void events.push(event),
  });
  const of = <Type extends RunEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type && event.path !== 'root');
  const { usd: _, inputTokens, outputTokens } = brief.usage.subtree;
  expect({ inputTokens, outputTokens }).toEqual({ inputTokens: server.used.input, outputTokens: server.used.output });
  expect(brief.usage.subtree.usd).toBeCloseTo((inputTokens * 2 + outputTokens * 10) / 1e6, 9);
  const selves = [...of('node.reported').map(({ report }) => report.usage.self), brief.usage.self];
  const failed = of('node.failed').flatMap(({ token }) => token.partial?.usage.self ?? []);
  expect([...selves, ...failed].reduce((sum, self) => sum + self.inputTokens, 0)).toBe(inputTokens);
  return { brief, status, of, elapsedMs: Date.now() - began };
}
const error = (status: number, type: string, headers = {}): Reply => ({
  status,
  error: { type, message: 'no' },
  headers,
});

describe('a question that meets with trouble once', () => {
  it.each([
    ['a rate limit', error(429, 'rate_limit_error', { 'retry-after': '0.05' })],
    ['an overload', error(529, 'overloaded_error')],
    ['an overload midway', { content: 'abc', after: { events: 3, does: 'overload' } }],
  ] satisfies [string, Reply][])('by %s is asked again without spending an attempt', async (_, reply) => {
    const { status, of, brief } = await troubled((_asked, count) => (count === 1 ? reply : FINE));
    expect(status).toBe('complete');
    expect(of('attempt.backed-off')).toMatchObject([
      { path: 'root/d0/l0', attempt: 1, fault: { diagnosis: 'rate-limited', pool: 'model:balanced' } },
    ]);
    expect(of('attempt.backed-off')[0]?.ms).toBe('retry-after' in (reply.headers ?? {}) ? 50 : 0);
    expect(brief.usage.subtree.attempts).toBe(4);
  });

  it.each([
    ['a stream that is cut', { content: 'abc', after: { events: 3, does: 'cut' } }],
    ['a stream that stands still', { content: 'abc', after: { events: 3, does: 'stall' } }],
    ['no JSON', { raw: '{"type":' }],
    ['a server that fails', error(500, 'api_error')],
  ] satisfies [string, Reply][])('by %s costs an attempt, and the same is asked again', async (_, reply) => {
    const prompts: string[] = [];
    const idle = 'after' in reply && reply.after?.does === 'stall' ? { idleMs: 2_000 } : {};
    const { status, of, brief } = await troubled((asked, count) => {
      prompts.push(promptOf(asked));
      return count === 1 ? reply : FINE;
    }, idle);
    expect(status).toBe('complete');
    expect(of('attempt.backed-off')).toMatchObject([{ attempt: 2, fault: { diagnosis: 'transient' } }]);
    expect(prompts).toEqual(['root/d0/l0', 'root/d0/l0']);
    expect(brief.usage.subtree.attempts).toBe(5);
  });

  it.each([
    ['the wrong shape', { content: '{"said":"fine"}' }, 'says is missing', 'invalid-output'],
    [
      'a refusal',
      { stop: 'refusal', details: { type: 'refusal', category: 'bio', explanation: null } },
      'refused: bio',
      undefined,
    ],
    ['truncation', { content: '{"says":"fi', stop: 'max_tokens' }, 'cut off (max_tokens', 'out-of-context'],
  ] satisfies [string, Reply, string, string | undefined][])(
    'by %s is asked in other words: what went wrong is told',
    async (_, reply, told, diagnosis) => {
      const prompts: string[] = [];
      const { status, of } = await troubled((asked, count) => {
        prompts.push(promptOf(asked));
        return count === 1 ? reply : FINE;
      });
      expect(status).toBe('complete');
      expect(of('attempt.failed')[0]?.fault.diagnosis).toBe(diagnosis);
      expect(prompts).toHaveLength(2);
      expect(prompts[1]).toContain(told);
      expect(of('attempt.started').find(({ attempt }) => attempt === 2)?.enrichment).toContain(told);
    },
  );
});

describe('trouble without end', () => {
  it.each([
    ['a storm of 529', () => error(529, 'overloaded_error'), 'rate-limited'],
    ['streams that are cut', () => ({ content: 'abc', after: { events: 2, does: 'cut' } }) as const, 'transient'],
    ['a wrong key', () => error(401, 'authentication_error'), undefined],
    ['a refusal', () => ({ stop: 'refusal' }), undefined],
    ['truncation', () => ({ stop: 'max_tokens' }), 'out-of-context'],
    ['a loop of tools', () => CALL, 'off-track'],
  ] satisfies [string, Trouble, string | undefined][])(
    '%s ends in a token, and in nothing else',
    async (_, trouble, diagnosis) => {
      const { brief, of, status } = await troubled(trouble, {}, { tools: [look] });
      expect(status).toBe('partial');
      expect(of('node.failed').map(({ token }) => [token.path, token.diagnosis])).toEqual([['root/d0/l0', diagnosis]]);
      expect(brief.findings.map(({ path }) => path).sort()).toEqual(['root/d0/l1', 'root/d1/l0', 'root/d1/l1']);
    },
  );

  it('a stream that never ends is left at the deadline', async () => {
    const { brief, of, elapsedMs } = await troubled(() => ({ content: 'abc', after: { events: 2, does: 'stall' } }), {
      deadline: 4_000,
    });
    expect(of('node.failed').map(({ path }) => path)).toContain('root/d0/l0');
    expect(brief.findings).toHaveLength(3);
    expect(elapsedMs).toBeLessThan(20_000);
    while (server?.open() !== 0) await new Promise((done) => setTimeout(done, 5)); // nothing is left hanging
  });

  it('a storm that passes is weathered by all: the whole tree slows down', async () => {
    let storm = 12;
    const gust: Trouble = () => (storm-- > 0 ? error(529, 'overloaded_error') : FINE);
    server = await messagesServer((asked) => gust(asked, 0));
    const leaf = (i: number) =>
      defineLeaf({
        name: `l${i}`,
        asks: true,
        run: async ({ model }) => ({ statement: (await model.ask({ prompt: 'how is it?' })).text }),
      });
    const limits: number[] = [];
    const { status, brief } = await run(
      defineScenario({
        name: 'storm',
        thesis: 't',
        domains: Array.from({ length: 8 }, (_, i) => leaf(i)),
        models: { adapter: anthropic({ apiKey: 'k', baseURL: server.url }) },
      }),
      {
        random: () => 0.02,
        onEvent: (event) => {
          if (event.type === 'slots.changed' && event.why === 'rate-limited') limits.push(event.limit);
        },
      },
    );
    expect(status).toBe('complete');
    expect(brief.usage.subtree.attempts).toBe(8);
    expect(Math.min(...limits)).toBeLessThan(8);
    expect(brief.usage.subtree.inputTokens).toBe(server.used.input);
  });
});

it('a tool that throws is told to the model, which goes on', async () => {
  const results: unknown[] = [];
  const { status } = await troubled(
    (asked, count) => {
      if (count === 1) return CALL;
      results.push(lastOf(asked));
      return FINE;
    },
    {},
    { tools: [look] },
  );
  expect(status).toBe('complete');
  expect(results).toMatchObject([{ type: 'tool_result', content: 'nothing to see', is_error: true }]);
});
