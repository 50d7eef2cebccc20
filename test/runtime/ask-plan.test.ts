/** Plans that are asked for before a run: shown, edited, approved or rejected, and then followed. */
import { describe, expect, it } from 'vitest';
import { planByModel } from '../../src/agents/planner.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { ScenarioSpec } from '../../src/define/spec.ts';
import { amendPlan, askPlan } from '../../src/runtime/ask-plan.ts';
import { run, start } from '../../src/runtime/in-process/start.ts';
import { plan } from '../../src/runtime/plan.ts';
import type { Approval, AskedPlan } from '../../src/runtime/run.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';

const leaf = (name: string) => defineLeaf({ name, run: ({ task }) => ({ statement: task.question, stance: 0.5 }) });
const macro = defineDomain({
  name: 'macro',
  charter: 'Growth',
  children: [leaf('growth'), leaf('rates')],
  decide: planByModel(),
});

/** A planner at the root and at macro: the root skips sea, macro skips rates. */
function planning(over: Partial<ScenarioSpec> = {}) {
  const model = scriptedModel(({ said }) =>
    said.includes('- macro (')
      ? {
          value: {
            activate: [{ name: 'macro', question: 'Does growth carry it?', why: 'it may' }],
            skip: [{ name: 'sea', why: 'too far' }],
            contradictions: [],
          },
        }
      : {
          value: {
            activate: [{ name: 'growth', why: 'it is asked' }],
            skip: [{ name: 'rates', why: 'not asked' }],
            contradictions: [],
          },
        },
  );
  const scenario = defineScenario({
    name: 's',
    thesis: 'Hold it',
    domains: [macro, leaf('sea'), leaf('doubt')],
    decide: planByModel(),
    models: { adapter: model },
    ...over,
  });
  return { scenario, model };
}
const namesIn = ({ root }: Pick<AskedPlan, 'root'>): string[] => root.children.map(({ path }) => path);

describe('a plan that is asked for', () => {
  it('shows what the deciders decide at every tier, with the questions that they ask', async () => {
    const { scenario, model } = planning();
    expect(namesIn(plan(scenario))).toEqual(['root/macro', 'root/sea', 'root/doubt']);
    expect(model.calls).toHaveLength(0);
    const asked = await askPlan(scenario);
    expect(namesIn(asked)).toEqual(['root/macro', 'root/doubt']);
    const [grown] = asked.root.children;
    expect(grown).toMatchObject({
      question: 'Does growth carry it?',
      decision: { by: 'planner', skipped: [{ name: 'rates' }] },
    });
    expect(grown?.children.map(({ path, question }) => [path, question])).toEqual([
      ['root/macro/growth', 'Does growth carry it?'],
    ]);
    expect(asked.warnings).toEqual([]);
  });

  it('is followed by a run that is given it: nobody is asked again, and what the asking has cost is counted', async () => {
    const { scenario, model } = planning();
    const { decided } = await askPlan(scenario);
    expect(model.calls).toHaveLength(2);
    const { brief } = await run(scenario, { decided });
    expect(model.calls).toHaveLength(2);
    expect(brief.findings.map(({ path }) => path).sort()).toEqual(['root/doubt', 'root/macro/growth']);
    const { inputTokens, outputTokens } = brief.usage.subtree;
    expect({ inputTokens, outputTokens }).toEqual({
      inputTokens: model.used.inputTokens,
      outputTokens: model.used.outputTokens,
    });
    expect(brief.usage.self.inputTokens).toBeGreaterThan(0);
    expect(brief.usage.self.inputTokens).toBeLessThan(inputTokens);
  });

  it('may cost no more than the run may', async () => {
    const { scenario, model } = planning({ limits: { budget: { tokens: 10 } } });
    const asked = await askPlan(scenario);
    expect(model.calls).toHaveLength(0);
    expect(asked.root.decision).toMatchObject({
      by: 'scenario',
      reasons: [expect.stringContaining('planning would cost more than the run may')],
    });
  });
});

describe('an edit', () => {
  it('skips, activates and asks otherwise, and says so in the record', async () => {
    const { scenario, model } = planning();
    const asked = await askPlan(scenario);
    const amended = amendPlan(scenario, asked, {
      skip: ['macro'],
      activate: ['sea'],
      questions: { doubt: 'What speaks against it?' },
    });
    const { brief } = await run(scenario, { decided: amended.decided });
    expect(brief.decision).toMatchObject({
      by: 'planner',
      approved: 'edited',
      skipped: [{ name: 'macro', why: 'skipped by whoever approved the plan' }],
      reasons: [
        'macro: it may',
        'doubt: not named by the planner, so it runs as declared',
        'edited: macro skipped',
        'edited: sea activated',
        'edited: doubt asked something else',
      ],
    });
    expect(brief.findings.map(({ path, statement }) => `${path}: ${statement}`).sort()).toEqual([
      'root/doubt: What speaks against it?',
      'root/sea: Hold it',
    ]);
    expect(model.calls).toHaveLength(2);
  });

  it.each([
    [{ skip: ['crypto'] }, 'There is no child "crypto" of the root. Choose from macro, sea, doubt.'],
    [{ questions: { crypto: '?' } }, 'There is no child "crypto" of the root.'],
    [{ skip: ['macro', 'doubt'] }, 'Nobody would be left to activate.'],
  ])('%j is refused', async (edit, message) => {
    const { scenario } = planning();
    const asked = await askPlan(scenario);
    expect(() => amendPlan(scenario, asked, edit)).toThrow(message);
  });
});

describe('whoever approves', () => {
  const approving = async (...answers: Approval[]) => {
    const { scenario } = planning();
    const shown: string[][] = [];
    const outcome = run(scenario, {
      approve: (asked) => {
        shown.push(namesIn(asked));
        return answers[shown.length - 1] ?? { approve: true };
      },
    });
    return { shown, outcome };
  };

  it('lets it run as planned, and the record says so', async () => {
    const { outcome, shown } = await approving({ approve: true });
    expect((await outcome).brief.decision).toMatchObject({ by: 'planner', approved: 'as-planned' });
    expect(shown).toEqual([['root/macro', 'root/doubt']]);
  });

  it('is shown what came of an edit before it runs', async () => {
    const { outcome, shown } = await approving({ edit: { activate: ['sea'] } }, { approve: true });
    expect((await outcome).brief.decision?.approved).toBe('edited');
    expect(shown).toEqual([
      ['root/macro', 'root/doubt'],
      ['root/macro', 'root/sea', 'root/doubt'],
    ]);
  });

  it('may reject it: then nothing runs', async () => {
    const { outcome } = await approving({ reject: 'too dear.' });
    await expect(outcome).rejects.toMatchObject({
      code: 'rejected',
      message: 'The plan was rejected: too dear. Nothing ran.',
    });
  });

  it.each([
    [undefined, 'undefined'],
    [true, 'true'],
    ['yes', 'the text "yes"'],
    [{ approve: false }, 'an object'],
    [{ approve: true, reject: 'no' }, 'an object'],
    [{ reject: 7 }, 'an object'],
  ])('that answers %j has not approved: nothing runs', async (answer, said) => {
    const { scenario, model } = planning();
    await expect(run(scenario, { approve: () => answer as Approval })).rejects.toMatchObject({
      code: 'invalid-input',
      message: `approve answered ${said}. Answer { approve: true }, { reject: "why" } or { edit: { … } }. Nothing ran.`,
    });
    expect(model.calls).toHaveLength(2); // the planners
  });

  it('is waited for by run alone', () => {
    const { scenario } = planning();
    expect(() => start(scenario, { approve: () => ({ approve: true }) })).toThrow('start takes no approve');
    expect(() => run(scenario, { approve: 'yes' as never })).toThrow('The option approve is the text "yes"');
  });
});
