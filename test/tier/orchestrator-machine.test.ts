import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { initialTransition } from 'xstate';
import { UnsealedOutcome, type Report } from '../../src/protocol/report.ts';
import { CANCELLED, errorOf } from '../../src/tier/fault.ts';
import { joinDeadline, planDeadline, stageDeadline } from '../../src/tier/grant.ts';
import { orchestratorMachine } from '../../src/tier/orchestrator-machine.ts';
import { drive } from './orchestrator-drive.ts';
import { criticalOf, decisionOf, endedWith, findingOf, grantOf, leaf, reportOf, taskOf, tokenOf } from './samples.ts';

const DOMAIN = 'root/macro';
const twoStages = decisionOf([[leaf('a')], [leaf('b', { needs: ['a'] })]]);
const oneStage = decisionOf([[leaf('a'), leaf('b')]]);
const endOf = (name: string) => endedWith(reportOf(`${DOMAIN}/${name}`, [criticalOf(`${DOMAIN}/${name}`)]));
const joined = (...names: string[]) => ({ closedBy: 'all', ended: names.map(endOf) });
const hasHole = (why: string) => expect.objectContaining({ why: expect.stringContaining(why) as string });
const hang = errorOf({ status: 'timeout', message: 'no answer by its deadline' });

describe('orchestrator-machine 2: every effect is given its deadline', () => {
  it('plan, each stage, synthesis', () => {
    const task = taskOf(DOMAIN);
    const { grant } = task;
    const driven = drive(task).answer(twoStages).answer(joined('a')).answer(joined('b'));
    expect(driven.invoked.map(({ id, input }) => [id, input.deadline])).toEqual([
      ['plan', planDeadline(grant)],
      ['gather', stageDeadline(grant, twoStages, 0)],
      ['gather', joinDeadline(grant)],
      ['synthesize', grant.deadline],
    ]);
  });
  it('execute', () => {
    const driven = drive(taskOf(DOMAIN)).answer(decisionOf([], { mode: 'execute' }));
    expect(driven.last).toMatchObject({ id: 'execute', input: { deadline: 1_000 } });
  });
  it('a later stage is shown what the earlier ones ended with', () => {
    const driven = drive(taskOf(DOMAIN)).answer(twoStages).answer(joined('a'));
    expect(driven.last?.input).toMatchObject({ stage: 1, children: [{ name: 'b' }], before: [endOf('a')] });
  });
});

describe('orchestrator-machine 3: every path ends in reported, and nothing throws', () => {
  const unreadable = {
    get by(): never {
      throw new Error('a getter of theirs');
    },
    get narrative(): never {
      throw new Error('a getter of theirs');
    },
  };
  test.each([
    ['none', undefined, 'it is missing; it must be an object'],
    ['a text', 'a plan', 'it is "a plan"; it must be an object'],
    ['an unknown mode', { ...oneStage, mode: 'both' }, 'mode is "both"; it must be one of divide, execute'],
    [
      'a path for a name',
      decisionOf([[leaf('a/b')]]),
      'stages.0.0.name: a name is 1 to 128 letters, digits, "_", ".", "-" or spaces',
    ],
    ['a name twice', decisionOf([[leaf('a')], [leaf('a')]]), 'two children have the same name'],
    ['a getter that throws', unreadable, 'it cannot be read: a getter of theirs'],
  ])('a plan of the wrong shape: %s', (_, plan, message) => {
    const token = drive(taskOf(DOMAIN)).answer(plan).outcome;
    expect(token).toMatchObject({
      kind: 'failure',
      status: 'invalid',
      message: `plan: the plan has the wrong shape: ${message}`,
    });
  });

  test.each([
    [[[leaf('a', { needs: ['b'] })], [leaf('b')]], 'plan: the plan lets "a" need "b", which no earlier stage holds'],
    [[[leaf('a'), leaf('b', { needs: ['a'] })]], 'plan: the plan lets "b" need "a", which no earlier stage holds'],
    [[[leaf('a', { needs: ['a'] })]], 'plan: the plan lets "a" need "a", which no earlier stage holds'],
  ])('a plan whose needs come too late', (stages, message) => {
    expect(drive(taskOf(DOMAIN)).answer(decisionOf(stages)).outcome).toMatchObject({ status: 'invalid', message });
  });

  it('refuses a plan wider than the grant, over all stages', () => {
    const task = taskOf(DOMAIN, { grant: grantOf({ maxChildren: 1 }) });
    expect(drive(task).answer(twoStages).outcome).toMatchObject({
      status: 'refused',
      retryable: false,
      message: 'plan: the plan has 2 children, the grant allows 1',
    });
  });

  it('a plan without children ends in a synthesis over nothing', () => {
    const driven = drive(taskOf(DOMAIN)).answer(decisionOf([])).answer({ closedBy: 'all', ended: [] });
    expect(driven.answer({ narrative: '', dispositions: [] }).outcome).toMatchObject({
      status: 'failed',
      findings: [],
    });
  });

  test.each([
    [undefined, 'silent', 'gather: ended without output'],
    [null, 'silent', 'gather: ended without output'],
    [{ rehearsed: 'rubbish' }, 'invalid', 'gather: ended with neither a report nor a failure token'],
    [{ ended: 7 }, 'invalid', 'gather: ended with neither a report nor a failure token'],
  ])('a gather that ends with %j', (output, status, message) => {
    const driven = drive(taskOf(DOMAIN)).answer(twoStages).answer(joined('a')).answer(output);
    expect(driven.outcome).toMatchObject({ kind: 'failure', status, message });
    expect(driven.outcome).toMatchObject({ partial: { escalations: [criticalOf(`${DOMAIN}/a`)] } }); // of stage 1
  });

  it('a gather that breaks leaves what earlier stages brought', () => {
    const driven = drive(taskOf(DOMAIN)).answer(twoStages).answer(joined('a')).fail(new Error('broke'));
    expect(driven.outcome).toMatchObject({
      status: 'error',
      message: 'gather: broke',
      partial: { gaps: [hasHole('broke')] },
    });
    expect(drive(taskOf(DOMAIN)).answer(oneStage).fail(new Error('broke')).outcome).not.toHaveProperty('partial');
  });

  test.each([
    [undefined, 'silent'],
    [7, 'invalid'],
    [reportOf('root/elsewhere'), 'invalid'],
  ])('an execution that ends with %j', (output, status) => {
    const driven = drive(taskOf(DOMAIN))
      .answer(decisionOf([], { mode: 'execute' }))
      .answer(output);
    expect(driven.outcome).toMatchObject({ kind: 'failure', status, path: DOMAIN });
  });

  it('whatever anybody answers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.anything(), fc.constantFrom(oneStage, joined('a', 'b'), unreadable)), { minLength: 5 }),
        fc.constantFrom('root', DOMAIN),
        (answers, path) => {
          const driven = drive(taskOf(path));
          for (const answer of answers) if (driven.snapshot.status === 'active') driven.answer(answer);
          while (driven.snapshot.status === 'active') driven.fail(new Error('enough'));
          expect(UnsealedOutcome.safeParse(driven.outcome).error).toBeUndefined();
        },
      ),
    );
  });

  it('is drawn by tools that have no task to give', () => {
    expect(initialTransition(orchestratorMachine, undefined as never)[0].value).toBe('planning');
  });
  it('has a context of plain JSON, and a task that nobody it is shown to can alter', () => {
    const prior = [endOf('sector').outcome as Report];
    const driven = drive(taskOf(DOMAIN, { prior })).answer(twoStages).answer(joined('a')).answer(joined('b'));
    const { context } = driven.answer(null).snapshot;
    expect(JSON.parse(JSON.stringify(context))).toEqual(context);
    const shown = driven.invoked[0]?.input.task;
    expect(() => Object.assign(shown, { path: 'root/other' })).toThrow(TypeError);
    expect(() => Object.assign(shown.grant, { depthLeft: 99 })).toThrow(TypeError);
    expect(() => shown.prior[0].escalations.pop()).toThrow(TypeError);
  });
});

describe('orchestrator-machine 3: cancelled, it delivers what there is', () => {
  const report = {
    kind: 'report',
    madeBy: 'deterministic',
    gaps: expect.arrayContaining([hasHole('cancelled')]) as unknown,
  };
  it('while planning', () => {
    const token = drive(taskOf(DOMAIN)).send({ type: 'cancel' }).outcome;
    expect(token).toMatchObject({ status: 'cancelled', message: `plan: ${CANCELLED.message}`, retryable: false });
  });
  it('while gathering: it closes the gather, and skips the stages to come', () => {
    const driven = drive(taskOf(DOMAIN)).answer(twoStages).send({ type: 'cancel' });
    expect(driven.told).toEqual([{ to: 'gather', type: 'gather.cancel' }]);
    expect(driven.answer(joined('a')).outcome).toMatchObject({ ...report, status: 'partial' });
    expect(driven.invoked.map(({ id }) => id)).toEqual(['plan', 'gather']);
  });
  it('while synthesizing', () => {
    const driven = drive(taskOf(DOMAIN)).answer(oneStage).answer(joined('a', 'b')).send({ type: 'cancel' });
    expect(driven.outcome).toMatchObject({
      ...report,
      escalations: [{ path: `${DOMAIN}/a` }, { path: `${DOMAIN}/b` }],
    });
  });
  it('while executing: it tells the leaf in its place', () => {
    const driven = drive(taskOf(DOMAIN))
      .answer(decisionOf([], { mode: 'execute' }))
      .send({ type: 'cancel' });
    expect(driven.told).toEqual([{ to: 'execute', type: 'leaf.cancel' }]);
    expect(driven.state).toBe('executing');
  });
});

describe('orchestrator-machine 4: with depth spent nothing is gathered', () => {
  test.each([0, -1])('depthLeft %d', (depthLeft) => {
    const driven = drive(taskOf(DOMAIN, { grant: grantOf({ depthLeft }) })).answer(twoStages);
    expect(driven.state).toBe('executing');
    const decision = { ...twoStages, mode: 'execute', stages: [], demoted: ['a', 'b'] };
    expect(driven.recorded).toEqual([
      { type: 'node.planned', path: DOMAIN, decision },
      { type: 'depth.refused', path: DOMAIN, maxDepth: 1 + depthLeft, children: ['a', 'b'] },
    ]);
    const why = 'depth is spent: executed without a, b';
    expect(driven.answer(reportOf(DOMAIN, [findingOf(DOMAIN)])).outcome).toMatchObject({
      status: 'complete',
      tier: 'domain',
      decision,
      gaps: [{ path: DOMAIN, kind: 'demoted', why }],
    });
  });
  test.each(['fails', 'breaks', 'lies'])('also an execution that %s names the demotion', (how) => {
    const driven = drive(taskOf(DOMAIN, { grant: grantOf({ depthLeft: 0 }) })).answer(oneStage);
    if (how === 'fails') driven.answer(tokenOf(DOMAIN));
    else if (how === 'breaks') driven.fail(new Error('broke'));
    else driven.answer({});
    expect(driven.outcome).toMatchObject({ kind: 'failure', partial: { gaps: [{ kind: 'demoted' }] } });
  });
  it('with depth left it gathers, and refuses nothing', () => {
    const driven = drive(taskOf(DOMAIN, { grant: grantOf({ depthLeft: 1 }) })).answer(oneStage);
    expect(driven.state).toBe('gathering');
    expect(driven.recorded.map(({ type }) => type)).toEqual(['node.planned']);
  });
});

describe('orchestrator-machine 5: a root ends in a report', () => {
  test.each([
    ['its plan breaks', 'error: plan: broke', (root: ReturnType<typeof drive>) => root.fail(new Error('broke'))],
    ['its plan hangs', 'timeout: plan: no answer by its deadline', (root) => root.fail(hang)],
    ['it is cancelled', `cancelled: plan: ${CANCELLED.message}`, (root) => root.send({ type: 'cancel' })],
    ['its gather breaks', 'error: gather: broke', (root) => root.answer(oneStage).fail(new Error('broke'))],
    [
      'its execution breaks',
      'error: broke',
      (root) => root.answer({ ...oneStage, mode: 'execute' }).fail(new Error('broke')),
    ],
  ])('when %s', (_, why, end) => {
    expect(end(drive(taskOf('root'))).outcome).toMatchObject({
      kind: 'report',
      status: 'failed',
      tier: 'root',
      question: 'What is so?',
      gaps: [{ path: 'root', kind: 'token', why }],
      run: { maxDepth: 9, observedDepth: 0, demotions: [] },
    });
  });
});

describe('synthesis is asked once more with the fault explained, then replaced', () => {
  const synthesizing = () => drive(taskOf(DOMAIN)).answer(oneStage).answer(joined('a', 'b'));
  const good = { narrative: 'All well.', dispositions: [] };
  const shape = 'the synthesis has the wrong shape: it is null; it must be an object';

  it('accepts the second answer, and forgets the first', () => {
    const driven = synthesizing().answer(null);
    expect(driven.last).toMatchObject({
      id: 'synthesize',
      input: { attempt: 2, fault: { status: 'invalid', message: shape } },
    });
    expect(driven.answer(good).outcome).toMatchObject({ status: 'complete', madeBy: 'synthesis', gaps: [] });
    expect(driven.recorded.slice(1)).toEqual([
      {
        type: 'synthesis.rejected',
        path: DOMAIN,
        attempt: 1,
        fault: { status: 'invalid', message: shape },
        willRetry: true,
      },
    ]);
  });
  it('replaces the second bad one by the deterministic synthesis, flagged', () => {
    const driven = synthesizing().answer(null).fail(new Error('broke'));
    expect(driven.outcome).toMatchObject({
      status: 'partial',
      madeBy: 'deterministic',
      escalations: [{ path: `${DOMAIN}/a` }, { path: `${DOMAIN}/b` }],
      gaps: [{ path: DOMAIN, kind: 'synthesis', why: 'error: broke; replaced by the deterministic one' }],
    });
    expect(driven.recorded.slice(1)).toMatchObject([
      { attempt: 1, willRetry: true },
      { attempt: 2, willRetry: false },
    ]);
  });
  it('does not ask again when there is no time left', () => {
    const driven = synthesizing().fail(hang);
    expect(driven.outcome).toMatchObject({ madeBy: 'deterministic', gaps: [{ kind: 'synthesis' }] });
    expect(driven.recorded.slice(1)).toMatchObject([{ attempt: 1, willRetry: false }]);
  });
});
