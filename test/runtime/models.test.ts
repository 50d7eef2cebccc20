/** A leaf, a synthesizer, a decider, a check and a recovery that ask a model: a scripted one, on virtual time. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { defineTool } from '../../src/define/define-tool.ts';
import type { LeafRun, LeafSpec, ScenarioSpec } from '../../src/define/spec.ts';
import type { ModelQuestion } from '../../src/ports/asking.ts';
import { scriptedModel, type ScriptedAnswer, type ScriptedCall } from '../../src/testing/scripted-model.ts';
import { NOTHING_LEFT, testScenario, type TestOptions } from '../../src/testing/index.ts';

const asks =
  (question: Partial<ModelQuestion> = {}): LeafRun =>
  async ({ model, task }) => {
    const { text } = await model.ask({ prompt: task.question, ...question });
    return { statement: text, stance: 0.5, confidence: 0.8 };
  };
const scenarioOf = (leaf: Partial<LeafSpec>, more: Partial<ScenarioSpec> = {}) =>
  defineScenario({
    name: 's',
    thesis: 'It holds',
    domains: [defineLeaf({ name: 'l', asks: true, run: asks(), ...leaf })],
    ...more,
  });
type Script = (call: ScriptedCall) => ScriptedAnswer | Promise<ScriptedAnswer>;
const runWith = async (script: Script, leaf: Partial<LeafSpec> = {}, options: TestOptions = {}) => {
  const adapter = scriptedModel(script);
  const tested = await testScenario(scenarioOf(leaf), { models: { adapter }, ...options });
  expect(tested.leftovers).toEqual(NOTHING_LEFT);
  return { ...tested, adapter };
};

describe('a leaf', () => {
  it('gets the value in the shape that it asked for', async () => {
    const { brief } = await runWith(() => ({ value: { people: 3 } }), {
      run: async ({ model }) => {
        const { value } = await model.ask({ prompt: 'how many?', output: z.object({ people: z.int() }) });
        return { statement: 'Counted', value: value.people };
      },
    });
    expect(brief.findings[0]).toMatchObject({ statement: 'Counted', value: 3 });
  });

  it('names its kind of work, and the policy names the model', async () => {
    const modelOf = async (leaf: Partial<LeafSpec>, options: TestOptions = {}) =>
      (await runWith(() => 'yes', leaf, options)).adapter.calls[0]?.request;
    expect(await modelOf({ work: 'extraction' })).toMatchObject({ model: 'scripted-fast' });
    expect(await modelOf({})).toMatchObject({ model: 'scripted-balanced' });
    expect(await modelOf({ work: 'authoring' })).toMatchObject({ model: 'scripted-deep' });
    expect(await modelOf({ work: 'authoring' }, { policy: 'fast' })).toMatchObject({ model: 'scripted-fast' });
    const policy = {
      work: { rules: 'deep' },
      classes: { deep: { model: 'other', effort: 'max', maxTokens: 9 } },
    } as const;
    expect(await modelOf({ work: 'rules' }, { policy })).toMatchObject({ model: 'other', effort: 'max', maxTokens: 9 });
  });

  it('has what it used in its own usage, at the price of the table, and its root has the same below it', async () => {
    const { brief, adapter } = await runWith(() => 'yes');
    const { inputTokens, outputTokens } = adapter.used;
    const spent = { inputTokens, outputTokens, usd: (inputTokens * 2 + outputTokens * 10) / 1e6 };
    expect(inputTokens).toBeGreaterThan(0);
    expect(brief.usage.subtree).toMatchObject(spent);
    expect(brief.usage.self).toMatchObject({ inputTokens: 0, outputTokens: 0, usd: 0 });
  });

  it('that asks in a run without models fails for good, and is told what to do', async () => {
    const { brief, eventsOf } = await testScenario(scenarioOf({}));
    expect(brief.status).toBe('failed');
    expect(eventsOf('attempt.failed')).toHaveLength(1);
    expect(eventsOf('attempt.failed')[0]?.fault.message).toContain('models: { adapter: anthropic({ apiKey }) }');
  });

  it('is refused: the next attempt is another prompt', async () => {
    const { status, adapter } = await runWith(({ count }) => (count === 1 ? { refusal: 'unsafe' } : 'yes'));
    expect(status).toBe('complete');
    expect(adapter.calls[1]?.said).toContain('the model refused: unsafe');
    expect(adapter.calls[1]?.said).not.toBe(adapter.calls[0]?.said);
  });

  it.each([
    ['refused', { refusal: 'unsafe' }, { status: 'refused' }],
    ['cut off', { truncated: 'max_tokens' }, { status: 'invalid', diagnosis: 'out-of-context' }],
    ['given the wrong shape', { value: { people: 'three' } }, { status: 'invalid', diagnosis: 'invalid-output' }],
    ['given no JSON', 'three', { status: 'invalid', diagnosis: 'invalid-output' }],
    ['given nothing', '', { status: 'invalid', diagnosis: 'invalid-output' }],
  ] satisfies [string, ScriptedAnswer, object][])('that is %s each time ends in a token', async (_, answer, fault) => {
    const { eventsOf, adapter, brief } = await runWith(() => answer, {
      run: async ({ model }) => {
        await model.ask({ prompt: 'how many?', output: z.object({ people: z.int() }) });
        return [];
      },
    });
    expect(eventsOf('node.failed')[0]?.token).toMatchObject({ ...fault, attempts: 3, needsHuman: true });
    expect(adapter.calls).toHaveLength(3);
    expect(brief.usage.subtree.inputTokens).toBe(adapter.used.inputTokens); // what failed was paid for too
  });

  it('that is never answered ends at its deadline', async () => {
    const { elapsedMs, brief } = await runWith(() => new Promise<never>(() => {}), {}, { deadline: '60s' });
    expect(brief.status).toBe('failed');
    expect(elapsedMs).toBeLessThanOrEqual(60_000);
  });

  it('backs off when it is rate-limited, spends no attempt, and its pool learns', async () => {
    const limited = { status: 'error', message: '429', diagnosis: 'rate-limited', retryAfterMs: 2_000 } as const;
    const { brief, eventsOf, elapsedMs } = await runWith(({ count }) => (count < 3 ? { fails: limited } : 'yes'));
    expect(brief.usage.subtree.attempts).toBe(1);
    expect(eventsOf('attempt.backed-off').map(({ fault }) => fault.pool)).toEqual(['model:balanced', 'model:balanced']);
    expect(eventsOf('slots.changed')[0]).toMatchObject({ pool: 'model:balanced', why: 'rate-limited' });
    expect(elapsedMs).toBeGreaterThanOrEqual(4_000);
  });
});

describe('whoever is told to wait for longer than there is time', () => {
  const hour = { status: 'error', message: '429', diagnosis: 'rate-limited', retryAfterMs: 3_600_000 } as const;

  it('ends at once, and says why: nobody waits for what cannot come', async () => {
    const { brief, eventsOf, elapsedMs, adapter } = await runWith(() => ({ fails: hour }), {}, { deadline: '5m' });
    expect(brief.status).toBe('failed');
    expect(elapsedMs).toBeLessThan(1_000);
    expect(adapter.calls).toHaveLength(1);
    const { token } = eventsOf('node.failed')[0] ?? {};
    expect(token).toMatchObject({ status: 'error', diagnosis: 'rate-limited' });
    expect(token?.message).toMatch(/^429; it is to wait 3600 s, and 300 s are left$/);
  });

  it('also in a later turn, or as a planner: the scenario decides', async () => {
    const tool = defineTool({ name: 'look', description: 'Looks.', input: z.object({}), run: () => 'a tree' });
    const adapter = scriptedModel(({ request }) =>
      request.messages.length === 1 && request.tools.length > 0
        ? { calls: [{ name: 'look', input: {} }] }
        : { fails: hour },
    );
    const scenario = scenarioOf(
      { run: asks({ tools: [tool] }) },
      {
        decide: async ({ model }) => {
          await model.ask({ prompt: 'who?' });
          return { shape: 'fan-out', reasons: [] };
        },
      },
    );
    const { brief, elapsedMs } = await testScenario(scenario, { models: { adapter }, deadline: '5m' });
    expect(elapsedMs).toBeLessThan(1_000);
    expect(brief.decision?.reasons?.[0]).toMatch(/^the decider failed \(429/);
    expect(adapter.calls).toHaveLength(3);
  });
});

describe('tools', () => {
  const look = defineTool({
    name: 'look',
    description: 'Looks a number up.',
    input: z.object({ of: z.string() }),
    run: ({ of }) => {
      if (of === 'nothing') throw new Error('there is no such number');
      return { of, is: 7 };
    },
  });
  const call = (name: string, input: unknown): ScriptedAnswer => ({ calls: [{ name, input }] });
  const last = ({ request }: ScriptedCall) => {
    const message = request.messages.at(-1);
    return message?.role === 'tools' ? message.results : [];
  };

  it('are run, and what they give is told', async () => {
    const { brief, adapter } = await runWith(
      (asked) => (asked.count === 1 ? call('look', { of: 'oslo' }) : `told ${last(asked)[0]?.text}`),
      { run: asks({ tools: [look] }) },
    );
    expect(brief.findings[0]?.statement).toBe('told {"of":"oslo","is":7}');
    expect(adapter.calls).toHaveLength(2);
    expect(brief.usage.subtree).toMatchObject({ inputTokens: adapter.used.inputTokens, attempts: 1 });
  });

  it.each([
    ['throws', 'look', { of: 'nothing' }, 'there is no such number'],
    ['is called with what does not fit', 'look', { of: 7 }, 'the input does not fit: of is 7; it must be a text'],
    ['was not given', 'delete', {}, 'There is no tool "delete".'],
  ])('one that %s is an error to the model, and harms nobody', async (_, name, input, text) => {
    const { brief, adapter, eventsOf } = await runWith((asked) => (asked.count === 1 ? call(name, input) : 'went on'), {
      run: asks({ tools: [look] }),
    });
    expect(brief.findings[0]?.statement).toBe('went on');
    expect(last(adapter.calls[1] as ScriptedCall)).toEqual([{ id: 'call-1-0', text, isError: true }]);
    expect(eventsOf('integrity.alert').map(({ kind }) => kind)).toEqual(name === 'delete' ? ['tool'] : []);
  });

  it('without end: so many turns, the last one is told, and then the attempt fails', async () => {
    const { eventsOf, adapter } = await runWith(() => call('look', { of: 'oslo' }), {
      attempts: 1,
      run: asks({ tools: [look], maxTurns: 4 }),
    });
    expect(adapter.calls).toHaveLength(4);
    expect(adapter.calls[3]?.said).toContain('answer now with what you have');
    expect(eventsOf('node.failed')[0]?.token).toMatchObject({ status: 'invalid', diagnosis: 'off-track' });
  });

  it('that hang are cut off with their leaf', async () => {
    const hanging = { ...look, run: () => new Promise(() => {}) };
    const { elapsedMs } = await runWith(
      () => call('look', { of: 'oslo' }),
      { run: asks({ tools: [hanging] }) },
      { deadline: '30s' },
    );
    expect(elapsedMs).toBeLessThanOrEqual(30_000);
  });

  it('of a later turn that is rate-limited: the turns before are not paid for again', async () => {
    const limited = { status: 'error', message: '429', diagnosis: 'rate-limited' } as const;
    const { status, adapter, eventsOf } = await runWith(
      ({ count }) => (count === 1 ? call('look', { of: 'oslo' }) : count === 2 ? { fails: limited } : 'yes'),
      { run: asks({ tools: [look] }) },
    );
    expect(status).toBe('complete');
    expect(adapter.calls).toHaveLength(3);
    expect(eventsOf('attempt.backed-off')).toHaveLength(0);
    expect(eventsOf('slots.changed')[0]).toMatchObject({ pool: 'model:balanced', why: 'rate-limited' });
  });

  it('of the vendor may pause: it is sent back what it said, and goes on', async () => {
    const { brief, adapter } = await runWith(({ count }) => (count === 1 ? { paused: 'half ' } : 'whole'));
    expect(brief.findings[0]?.statement).toBe('half whole');
    expect(adapter.calls[1]?.request.messages.at(-1)).toEqual({ role: 'assistant', content: 'half ' });
  });
});

describe('orchestrators', () => {
  const models = (script: Script) => ({ adapter: scriptedModel(script) });

  it('ask for decisions and syntheses by classes of their own, and try again by themselves', async () => {
    const limited = { status: 'error', message: '429', diagnosis: 'rate-limited' } as const;
    const asked: string[] = [];
    const given = models(({ request, count }) => {
      asked.push(request.model);
      return count === 2 ? { fails: limited } : 'fine';
    });
    const children = ['a', 'b'].map((name) => defineLeaf({ name, run: () => ({ statement: name }) }));
    const scenario = defineScenario({
      name: 's',
      thesis: 'It holds',
      domains: [defineDomain({ name: 'd', charter: 'c', children })],
      decide: async ({ model }) => ({
        shape: 'fan-out',
        reasons: [(await model.ask({ prompt: 'whom?' })).text],
      }),
      synthesize: async ({ model, children: ended }) => ({
        narrative: (await model.ask({ prompt: 'what of it?' })).text,
        dispositions: ended
          .flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.findings : []))
          .map(({ id }) => ({ id, as: 'kept' as const })),
      }),
    });
    const { brief, leftovers } = await testScenario(scenario, { models: given });
    expect(asked).toEqual(['scripted-deep', 'scripted-balanced', 'scripted-balanced']);
    expect(brief).toMatchObject({ madeBy: 'synthesis', narrative: 'fine', decision: { reasons: ['fine'] } });
    expect(brief.usage.self.outputTokens).toBe(given.adapter.used.outputTokens);
    expect(brief.usage.subtree.outputTokens).toBe(given.adapter.used.outputTokens);
    expect(leftovers).toEqual(NOTHING_LEFT);
  });

  it('hold no place while they wait: a pool of one serves leaf, check, recovery and synthesis in turn', async () => {
    const said: string[] = [];
    const given = models(({ request: { model }, said: prompt }) => {
      said.push(`${model} ${prompt.split('\n')[0]}`);
      return 'fine';
    });
    const leaf = defineLeaf({
      name: 'l',
      asks: true,
      run: async ({ model, attempt }) => {
        await model.ask({ prompt: 'work' });
        if (attempt === 1) throw new Error('no');
        return { statement: 'done' };
      },
      verify: async (_, { model }) => ({ ok: (await model.ask({ prompt: 'check' })).text === 'fine', why: 'not fine' }),
      recover: async (_, { model }) => (await model.ask({ prompt: 'recover' })).text,
    });
    const { status } = await testScenario(
      defineScenario({
        name: 's',
        thesis: 't',
        domains: [leaf],
        limits: { pools: { 'model:fast': 1 } },
        synthesize: async ({ model, children }) => {
          await model.ask({ prompt: 'synthesis' });
          const ids = children.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.findings : []));
          return { narrative: '', dispositions: ids.map(({ id }) => ({ id, as: 'kept' })) };
        },
      }),
      { models: given, policy: 'fast' },
    );
    expect(status).toBe('complete');
    expect(said).toEqual(['work', 'recover', 'work', 'check', 'synthesis'].map((what) => `scripted-fast ${what}`));
  });
});

describe('pools', () => {
  it('cap those that say that they ask, and calls of those that do not', async () => {
    const peakOf = async (more: Partial<LeafSpec>): Promise<number> => {
      let present = 0;
      let peak = 0;
      const adapter = scriptedModel(async () => {
        peak = Math.max(peak, ++present);
        for (let i = 0; i < 20; i++) await Promise.resolve();
        present--;
        return 'yes';
      });
      const leaves = Array.from({ length: 9 }, (_, i) => defineLeaf({ name: `l${i}`, run: asks(), ...more }));
      const limits = { concurrency: 9, pools: { 'model:balanced': 2 } };
      const { status } = await testScenario(defineScenario({ name: 's', thesis: 't', domains: leaves, limits }), {
        models: { adapter },
      });
      expect(status).toBe('complete');
      return peak;
    };
    expect(await peakOf({ asks: true })).toBe(2);
    expect(await peakOf({})).toBe(2);
    expect(await peakOf({ pools: ['model:balanced'] })).toBe(2);
  });

  it('of two classes never wait for each other: who holds a place of one asks any', async () => {
    const adapter = scriptedModel(() => 'yes');
    const leaf = (name: string, work: 'rules' | 'authoring', pool: string) =>
      defineLeaf({ name, work, pools: [pool], run: asks() });
    const domains = [leaf('a', 'rules', 'model:deep'), leaf('b', 'authoring', 'model:fast')];
    const limits = { pools: { 'model:deep': 1, 'model:fast': 1 } };
    const { status, elapsedMs } = await testScenario(defineScenario({ name: 's', thesis: 't', domains, limits }), {
      models: { adapter },
    });
    expect({ status, elapsedMs }).toEqual({ status: 'complete', elapsedMs: 0 });
  });

  it('heed what the vendor still allows', async () => {
    const adapter = scriptedModel(() => 'yes', {
      limits: () => [{ of: 'requests', limit: 10, remaining: 0, resetMs: 10_000 }],
    });
    const leaves = ['a', 'b', 'c'].map((name) => defineLeaf({ name, asks: true, run: asks() }));
    const scenario = defineScenario({ name: 's', thesis: 't', domains: leaves, limits: { concurrency: 1 } });
    // One of ten is there again after a tenth of the time.
    expect(await testScenario(scenario, { models: { adapter } })).toMatchObject({
      status: 'complete',
      elapsedMs: 2_000,
    });
  });
});
