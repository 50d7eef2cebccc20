/** One scenario under three policies, against a mock of the API that is not ours: what it costs is what the table says. */
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anthropic, ANTHROPIC_PRICES } from '../../src/adapters/models/anthropic.ts';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Decider } from '../../src/define/shape.ts';
import type { Synthesizer } from '../../src/define/spec.ts';
import type { PolicyName, Work } from '../../src/ports/model.ts';
import { run } from '../../src/runtime/in-process/start.ts';
import { plan } from '../../src/runtime/plan.ts';
import type { RunOptions } from '../../src/runtime/run.ts';

/** What the mock says that an answer used, by who asks; and what the plan is told to expect: the same. */
const USED = {
  planner: [9_000, 700],
  leaf: [4_000, 500],
  synthesizer: [6_000, 900],
} as const satisfies Record<string, readonly [number, number]>;
type Role = keyof typeof USED;
const asksOf = (role: Role) => ({ inputTokens: USED[role][0], outputTokens: USED[role][1] });

let mock: LLMock;
beforeAll(async () => {
  mock = await LLMock.create({ port: 0, host: '127.0.0.1', strict: true });
  const answers: Record<Role, object> = {
    planner: { reason: 'all of them matter' },
    leaf: { says: 'so it is' },
    synthesizer: { narrative: 'It is so.' },
  };
  for (const role of Object.keys(USED) as Role[]) {
    const [input_tokens, output_tokens] = USED[role];
    mock.on(
      { systemMessage: `ROLE:${role}`, userMessage: /.*/ },
      { content: JSON.stringify(answers[role]), usage: { input_tokens, output_tokens } },
    );
  }
});
afterAll(() => mock.stop());
beforeEach(() => mock.clearRequests());

const KINDS: readonly Work[] = ['extraction', 'rules', 'structured', 'authoring'];
const leaf = (work: Work) =>
  defineLeaf({
    name: work,
    work,
    asks: asksOf('leaf'),
    async run({ model, task }) {
      const system = 'ROLE:leaf';
      const { value } = await model.ask({ system, prompt: task.question, output: z.object({ says: z.string() }) });
      return { statement: value.says, stance: 1 };
    },
  });
const decide: Decider = Object.assign(
  async ({ model, task }: Parameters<Decider>[0]) => {
    const output = z.object({ reason: z.string() });
    const { value } = await model.ask({ system: 'ROLE:planner', prompt: task.question, output });
    return { shape: 'fan-out' as const, by: 'model', reasons: [value.reason] };
  },
  { asks: asksOf('planner') },
);
const synthesize: Synthesizer = Object.assign(
  async ({ model, task, children }: Parameters<Synthesizer>[0]) => {
    const output = z.object({ narrative: z.string() });
    const { value } = await model.ask({ system: 'ROLE:synthesizer', prompt: task.question, output });
    const findings = children.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.findings : []));
    return { ...value, dispositions: findings.map(({ id }) => ({ id, as: 'kept' as const })) };
  },
  { asks: asksOf('synthesizer') },
);
const scenario = () =>
  defineScenario({
    name: 'policies',
    thesis: 'It holds',
    domains: ['a', 'b'].map((name) => defineDomain({ name, charter: name, children: KINDS.map(leaf), synthesize })),
    decide,
    synthesize,
    models: { adapter: anthropic({ apiKey: 'k', baseURL: mock.url }) },
  });

const HAIKU = 'claude-haiku-5-5';
const SONNET = 'claude-sonnet-5-5';
const OPUS = 'claude-opus-5-5';
/** Who asks which model how often, by hand: one plan, two leaves of each kind, three syntheses. */
const BY_POLICY: Record<PolicyName, [Role, number, string][]> = {
  fast: [
    ['planner', 1, HAIKU],
    ['leaf', 8, HAIKU],
    ['synthesizer', 3, HAIKU],
  ],
  mixed: [
    ['planner', 1, OPUS],
    ['leaf', 4, HAIKU],
    ['leaf', 2, SONNET],
    ['leaf', 2, OPUS],
    ['synthesizer', 3, SONNET],
  ],
  deep: [
    ['planner', 1, OPUS],
    ['leaf', 8, OPUS],
    ['synthesizer', 3, OPUS],
  ],
};
/** By the table, in plain arithmetic. */
const priced = (asked: [Role, number, string][]): number =>
  asked.reduce((sum, [role, times, model]) => {
    const { input = Number.NaN, output = Number.NaN } = ANTHROPIC_PRICES[model] ?? {};
    const [inTokens, outTokens] = USED[role];
    return sum + (times * (inTokens * input + outTokens * output)) / 1e6;
  }, 0);

describe.each(['fast', 'mixed', 'deep'] as const)('all %s', (policy) => {
  it('is planned, asked and paid for as the table says', async () => {
    const asked = BY_POLICY[policy];
    const options: RunOptions = { policy };
    const { cost } = plan(scenario(), options);
    expect(mock.getRequests()).toHaveLength(0); // a plan asks nobody
    expect(cost?.usd).toBeCloseTo(priced(asked), 9);

    const { brief, status } = await run(scenario(), options);
    expect(status).toBe('complete');
    expect(brief.usage.subtree.usd).toBeCloseTo(priced(asked), 9);
    const models = mock.getRequests().map(({ body }) => String(body?.model));
    const expected = asked.flatMap(([, times, model]) => Array.from({ length: times }, () => model));
    expect(models.toSorted()).toEqual(expected.toSorted());
    expect(cost?.models.map(({ model }) => model).toSorted()).toEqual([...new Set(expected)].toSorted());
    const [inputTokens, outputTokens] = [0, 1].map((i) =>
      asked.reduce((sum, [role, times]) => sum + times * USED[role][i as 0 | 1], 0),
    );
    expect(brief.usage.subtree).toMatchObject({ inputTokens, outputTokens });
    expect(brief.usage.self).toMatchObject({ inputTokens: USED.planner[0] + USED.synthesizer[0] });
  });
});

it('deep costs more than mixed, and mixed more than fast', () => {
  const [fast, mixed, deep] = (['fast', 'mixed', 'deep'] as const).map(
    (policy) => plan(scenario(), { policy }).cost?.usd ?? 0,
  );
  expect(fast).toBeLessThan(mixed ?? 0);
  expect(mixed).toBeLessThan(deep ?? 0);
});

it('a resumed run goes on with the policy that it was begun with, and a plan knows what the last run used', async () => {
  const store = memoryStore();
  const cancel = new AbortController();
  const { runId } = await run(scenario(), {
    store,
    policy: 'deep',
    signal: cancel.signal,
    onEvent: ({ type }) => type === 'node.planned' && cancel.abort(),
  });
  mock.clearRequests();
  const { status } = await run(scenario(), { store, resume: runId });
  expect(status).toBe('complete');
  const models = new Set(mock.getRequests().map(({ body }) => body?.model));
  expect([...models]).toEqual([OPUS]);
  const expected = plan(scenario(), { store });
  const asks = expected.root.children[0]?.children.map((node) => node.asks?.[0]);
  expect(asks).toMatchObject(
    KINDS.map(() => ({ from: 'runs', inputTokens: USED.leaf[0], outputTokens: USED.leaf[1] })),
  );
});
