/** Invariants 1 to 3 of run-spans.ts, on runs of the real tree. */
import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { defineDomain, defineLeaf, defineScenario } from '../../../src/index.ts';
import { parentOf } from '../../../src/protocol/path.ts';
import { CRITICAL, draft, endsOf, never, tree, world } from '../../support/world.ts';
import { idOf, parentIdOf, pathOf, recorder, traceOf, type Recorder } from './recorder.ts';

describe('the spans of a run', () => {
  it.each([[[5]], [[3, 5]], [[2, 2, 2]], [[2, 1, 2, 2]]])(
    'of shape %j: one trace, every node once, in the gather of the node above it',
    async (shape) => {
      const { telemetry, spans, span, steps } = recorder();
      const run = world(shape, {}, { telemetry });
      await run.run();

      const started = run.eventsOf('node.started');
      const nodes = spans().filter((one) => pathOf(one) !== '');
      expect(nodes.map(pathOf).sort()).toEqual(started.map(({ path }) => path).sort());
      expect(new Set(spans().map(traceOf)).size).toBe(1);

      const workflow = span('invoke_workflow tree');
      expect(workflow.parentSpanContext).toBeUndefined();
      for (const node of nodes) {
        const path = pathOf(node);
        const gather = steps(parentOf(path)).find(({ name }) => name === 'gather');
        expect({ path, parent: parentIdOf(node) }).toEqual({ path, parent: idOf(gather ?? workflow) });
        const isLeaf = path.split('/').length > shape.length;
        expect(steps(path).map(({ name }) => name)).toEqual(isLeaf ? ['attempt'] : ['plan', 'gather', 'synthesis']);
        for (const step of steps(path)) expect(parentIdOf(step)).toBe(idOf(node));
      }
    },
  );

  it('say which node and how it ended, in names that are few', async () => {
    const { telemetry, span } = recorder();
    const run = world([2, 2, 2], {}, { telemetry, runId: 'mine', maxDepth: 5 });
    const { brief } = await run.run();

    expect(span('invoke_workflow tree')).toMatchObject({
      attributes: {
        'gen_ai.operation.name': 'invoke_workflow',
        'gen_ai.workflow.name': 'tree',
        'espalier.run.id': 'mine',
        'espalier.depth.limit': 5,
        'espalier.status': 'complete',
        'espalier.gaps': 0,
        'espalier.escalations': 0,
      },
      status: { code: SpanStatusCode.UNSET },
    });
    const domain = span('root/d1/d0');
    expect(domain.name).toBe('invoke_agent d0');
    expect(domain.attributes).toMatchObject({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'd0',
      'espalier.run.id': 'mine',
      'espalier.path': 'root/d1/d0',
      'espalier.tier': 'domain',
      'espalier.depth': 2,
      'espalier.status': 'complete',
      'espalier.made_by': 'deterministic',
      'espalier.findings': 2,
      'espalier.retention.recall': 1,
      'espalier.retention.verbatim': 1,
      'espalier.retention.incoming': 2,
      'espalier.retention.numbers_fabricated': 0,
    });
    expect(span('root').attributes).toMatchObject({
      'espalier.tier': 'root',
      'espalier.retention.kept': brief.retention?.kept,
    });
    expect(span('root/d1/d0/l1').attributes).toMatchObject({ 'espalier.tier': 'leaf', 'espalier.attempts': 1 });
  });

  it("last as long as the run's own clock says", async () => {
    const { telemetry, span } = recorder();
    const clockOf = () => run.clock;
    const slow = tree([1, 1], {
      leaf: {
        run: async ({ task }) => {
          await new Promise<void>((done) => void clockOf().setTimeout(done, 90_000));
          return draft(task.path);
        },
      },
    });
    const run = world(slow, {}, { telemetry });
    await run.run();
    expect(span('root/d0/l0').startTime).toEqual([0, 0]);
    expect(span('root/d0/l0').endTime).toEqual([89, 999_999_000]);
    expect(span('invoke_workflow tree').duration).toEqual([89, 999_999_000]);
  });

  it('of two runs at once stay apart, also when one telemetry serves both', async () => {
    const { telemetry, spans } = recorder();
    const run = world([3, 3], {}, { telemetry });
    const handles = [run.start({ runId: 'one' }), run.start({ runId: 'two' })];
    await run.clock.run(Promise.all(handles.map(({ result }) => result)));
    for (const id of ['one', 'two']) {
      const own = spans().filter(({ attributes }) => attributes['espalier.run.id'] === id);
      expect(own).toHaveLength(1 + 4 * 4 + 9 * 2); // the run; orchestrators with their steps, and leaves with theirs
      expect(new Set(own.map(traceOf)).size).toBe(1);
      const ids = new Set(own.map(idOf));
      for (const { parentSpanContext } of own) {
        if (parentSpanContext) expect(ids).toContain(parentSpanContext.spanId);
      }
    }
    expect(new Set(spans().map(traceOf)).size).toBe(2);
  });

  it('mark what failed, what is partial, and what was cut off', async () => {
    const { telemetry, span, nodes, spans, steps } = recorder();
    const scenario = defineScenario({
      name: 'troubled',
      thesis: 'It holds',
      domains: [
        defineDomain({
          name: 'shaky',
          charter: '',
          children: [
            defineLeaf({ name: 'throws', attempts: 2, run: () => Promise.reject(new Error('no')) }),
            defineLeaf({ name: 'hangs', run: never }),
            defineLeaf({ name: 'works', run: ({ task }) => draft(task.path, CRITICAL) }),
          ],
        }),
        defineDomain({ name: 'lost', charter: '', children: [defineLeaf({ name: 'below', run: never })] }),
      ],
      limits: { deadline: '60s' },
    });
    const run = world(scenario, {}, { telemetry, faults: ['root/lost:gather=hang'] });
    const { brief } = await run.run();

    const error = (status: string) => ({
      status: { code: SpanStatusCode.ERROR, message: status },
      attributes: { 'espalier.status': status, 'error.type': status },
    });
    expect(span('root/shaky/throws')).toMatchObject(error('error'));
    expect(span('root/shaky/throws').attributes['espalier.attempts']).toBe(2);
    expect(span('root/shaky/hangs')).toMatchObject(error('timeout'));
    expect(span('root/shaky/works').status.code).toBe(SpanStatusCode.UNSET);
    expect(span('root/shaky')).toMatchObject(error('partial'));
    expect(span('root/lost')).toMatchObject(error('timeout'));
    expect(span('root/lost/below')).toMatchObject(error('timeout'));
    const whole = span('invoke_workflow troubled');
    expect(whole).toMatchObject(error('partial'));
    expect(whole.attributes).toMatchObject({ 'espalier.gaps': brief.gaps.length, 'espalier.escalations': 1 });
    expect(steps('root/shaky/throws')).toMatchObject([
      { name: 'attempt', ...error('error'), attributes: { 'espalier.attempt': 1, 'espalier.will_retry': true } },
      { name: 'attempt', ...error('error'), attributes: { 'espalier.attempt': 2, 'espalier.will_retry': false } },
    ]);
    expect(steps('root/shaky/hangs')).toMatchObject([{ name: 'attempt', ...error('timeout') }]);
    for (const end of endsOf(run.events)) expect(span(end.path).attributes['espalier.status']).toBe(end.status);
    expect(nodes()).toHaveLength(endsOf(run.events).length + 1);
    expect(spans().every(({ ended }) => ended)).toBe(true);
  });

  it('lead from an escalation to the leaf, by a link of a span of its own and never of the root', async () => {
    const { telemetry, span, spans } = recorder();
    const clockOf = () => run.clock;
    const scenario = tree([1, 2], {
      leaf: {
        run: async ({ task, report }) => {
          if (task.path.endsWith('l0')) return draft(task.path);
          await clockOf().sleep(1_000);
          report(draft(task.path, CRITICAL));
          await clockOf().sleep(1_000);
          return draft(task.path, CRITICAL);
        },
      },
    });
    const run = world(scenario, {}, { telemetry });
    await run.run();
    const leaf = span('root/d0/l1');
    const escalation = span('escalation');
    expect(parentIdOf(escalation)).toBe(idOf(span('invoke_workflow tree')));
    expect(escalation.links.map(({ context }) => context.spanId)).toEqual([idOf(leaf)]);
    expect(escalation).toMatchObject({ startTime: [1, 0], endTime: [1, 1_000] }); // no time at all
    expect(escalation.attributes).toMatchObject({ 'espalier.path': 'root/d0/l1', 'gen_ai.agent.name': 'l1' });
    expect(spans().filter(({ links }) => links.length > 0)).toHaveLength(1);
  });

  it('carry integrity alerts and demotions', async () => {
    const { telemetry, span } = recorder();
    const scenario = tree([1, 1], {
      leaf: {
        run: ({ task, spawn }) => {
          try {
            spawn('child');
          } catch {
            // refused
          }
          return draft(task.path);
        },
      },
    });
    await world(scenario, {}, { telemetry }).run();
    expect(span('root/d0/l0').events).toMatchObject([
      {
        name: 'espalier.integrity.alert',
        attributes: { 'espalier.alert.kind': 'spawn', 'espalier.path': 'root/d0/l0' },
      },
    ]);

    const shallow = recorder();
    await world([1, 1], {}, { telemetry: shallow.telemetry, maxDepth: 1 }).run();
    expect(shallow.span('root/d0').attributes['espalier.demoted']).toBe(true);
  });

  it('are the same when a run is replayed from its events', async () => {
    const [live, replayed] = [recorder(), recorder()];
    const run = world([2, 2], {}, { telemetry: live.telemetry });
    await run.run();
    for (const event of run.events) replayed.telemetry.onEvent(event);
    const told = ({ spans }: Recorder) =>
      spans().map(({ name, attributes, startTime, endTime, parentSpanContext }) => {
        const parent = spans().find((one) => idOf(one) === parentSpanContext?.spanId);
        return { name, attributes, startTime, endTime, parent: parent && `${parent.name} ${pathOf(parent)}` };
      });
    expect(told(replayed)).toEqual(told(live));
  });
});
