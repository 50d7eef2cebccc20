import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/protocol/digest.ts';
import { FailureToken, Report } from '../../src/protocol/report.ts';
import { RunEvent } from '../../src/protocol/run-event.ts';
import { CRITICAL, draft, endsOf, json, NOTHING_LEFT, reportOf, world } from '../support/world.ts';

describe('a 3 × 5 tree', () => {
  it('reports, and leaves nothing', async () => {
    const w = world([3, 5]);
    const { brief, status } = await w.run();
    expect(status).toBe('complete');
    expect(brief).toMatchObject({ kind: 'report', path: 'root', tier: 'root', depth: 0, madeBy: 'deterministic' });
    expect(brief.findings).toHaveLength(15);
    expect(brief.children.map((child) => child.status)).toEqual(['complete', 'complete', 'complete']);
    expect(brief.run).toMatchObject({ maxDepth: 2, observedDepth: 2, demotions: [] });
    expect(brief.usage.subtree).toMatchObject({ nodes: 19, leaves: 15, attempts: 15 });
    expect(w.clock.now()).toBe(0);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('passes through minutes on virtual time', async () => {
    const w = world([3, 5], (own) => ({
      attempt: async (input, io) => {
        await w.clock.sleep(60_000);
        return own.attempt(input, io);
      },
      synthesize: async (input, io) => {
        await w.clock.sleep(50);
        return own.synthesize(input, io);
      },
    }));
    const { brief } = await w.run({ concurrency: 15 });
    expect(brief.status).toBe('complete');
    expect(w.clock.now()).toBe(60_100);
    expect(brief.timing).toEqual({ startedAt: 0, endedAt: 60_100 });
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('what a run says of itself', () => {
  const spoken = world([3, 5], {
    attempt: async ({ task }, io) => {
      if (task.path.endsWith('l1')) io.report(draft(task.path, { ...CRITICAL, key: 'live' }));
      return [draft(task.path, task.path.endsWith('l2') ? CRITICAL : {}), draft(task.path, { key: 'more' })];
    },
  });
  const result = spoken.run();

  it('is a stream of valid events, numbered from 0', async () => {
    await result;
    for (const event of spoken.events) expect(RunEvent.parse(json(event))).toEqual(json(event));
    expect(spoken.events.map((event) => event.seq)).toEqual(spoken.events.map((_, i) => i));
    expect(new Set(spoken.events.map((event) => event.runId))).toEqual(new Set(['run']));
    expect(spoken.events.at(0)).toMatchObject({ type: 'run.started', scenario: 'tree', thesis: 'It holds' });
    expect(spoken.events.at(-1)).toMatchObject({ type: 'run.completed', status: 'complete' });
  });

  it('has one end for every node that started', async () => {
    await result;
    const started = spoken.eventsOf('node.started').map((event) => event.path);
    expect(started).toHaveLength(19);
    expect(new Set(started).size).toBe(19);
    expect(
      endsOf(spoken.events)
        .map((end) => end.path)
        .sort(),
    ).toEqual(started.sort());
  });

  it('reports each finding once, escalates each critical one once, and changes no byte', async () => {
    const { brief } = await result;
    const reported = new Map(spoken.eventsOf('finding.reported').map(({ finding }) => [finding.id, json(finding)]));
    expect(spoken.eventsOf('finding.reported')).toHaveLength(33);
    expect(reported.size).toBe(33);
    const escalated = spoken.eventsOf('finding.escalated').map(({ finding }) => json(finding));
    expect(escalated).toHaveLength(6);
    expect(brief.escalations).toHaveLength(6);
    for (const escalation of brief.escalations) {
      expect(json(escalation)).toEqual(reported.get(escalation.id));
      expect(escalated).toContainEqual(json(escalation));
    }
    expect(brief.retention?.verbatim).toBe(1);
  });

  it('is proven by digests from leaf to brief', async () => {
    const { brief } = await result;
    const ends = new Map(endsOf(spoken.events).map((end) => [end.path, end]));
    for (const end of ends.values()) {
      expect(end.kind === 'report' ? Report.parse(json(end)) : FailureToken.parse(json(end))).toEqual(json(end));
      expect(digestOf(end)).toBe(end.digest);
      if (end.kind === 'failure') continue;
      for (const child of end.children) expect(child.digest).toBe(ends.get(child.path)?.digest);
    }
    expect(reportOf(spoken.endOf('root')).digest).toBe(brief.digest);
    expect(spoken.eventsOf('run.completed')[0]?.digest).toBe(brief.digest);
  });
});

it('finds the same twice: another run of the same scenario has the same digest', async () => {
  const [once, again] = [world([2, 2]), world([2, 2])];
  again.clock.setTimeout(() => {}, 5_000);
  await again.clock.advance(5_000);
  const [first, second] = [await once.run({ runId: 'first' }), await again.run({ runId: 'second' })];
  expect(second.brief.digest).toBe(first.brief.digest);
  expect(second.brief.timing.startedAt).toBe(5_000);
});
