import { describe, expect, test } from 'vitest';
import { RunEvent } from 'espalier';
import { NOTHING_LEFT, scripted, testScenario } from 'espalier/testing';
import { CRITICAL, draft, MINUTES_8, tree } from '../support/world.ts';

const scenario = tree([3, 4]);

describe('testScenario', () => {
  test('an 8-minute scenario, leaf by leaf, on virtual time', async () => {
    const { brief, elapsedMs, leftovers } = await testScenario(scenario, {
      concurrency: 1,
      latency: () => 35_000,
    });
    expect(brief.status).toBe('complete');
    expect(elapsedMs).toBe(12 * 35_000);
    expect(leftovers).toEqual(NOTHING_LEFT);
  });

  test('the same twice: events, digests and times', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(() => testScenario(scenario, { runId: 'r', latency: () => 1_000 })),
    );
    expect(one?.events).toEqual(two?.events);
    expect(one?.events.every((event) => RunEvent.safeParse(event).success)).toBe(true);
  });

  test('nodes follow a script, others their own code', async () => {
    const { escalations, brief, eventsOf } = await testScenario(scenario, {
      script: {
        runs: { 'root/d1/l2': ({ task }) => draft(task.path, { statement: 'As scripted', ...CRITICAL }) },
        syntheses: { 'root/d0': () => ({ narrative: 'All dropped', dispositions: [] }) },
      },
    });
    expect(escalations.map(({ statement }) => statement)).toEqual(['As scripted']);
    expect(eventsOf('finding.escalated')).toHaveLength(1);
    expect(brief.children[0]?.retention).toMatchObject({ incoming: 4, dropped: 4 });
    expect(brief.children[1]?.retention).toMatchObject({ incoming: 4, kept: 4 });
  });

  test('faults degrade the brief, and the deadline holds', async () => {
    const { brief, gaps, elapsedMs, leftovers } = await testScenario(scenario, {
      faults: ['root/d1=hang', 'root/d0/l0=throw'],
    });
    expect(brief.status).toBe('partial');
    expect(gaps.map(({ path }) => path)).toEqual(['root/d0/l0', 'root/d1']);
    expect(elapsedMs).toBeLessThanOrEqual(MINUTES_8);
    expect(leftovers).toEqual(NOTHING_LEFT);
  });

  test('cancelled on the way, it delivers what there is at that moment', async () => {
    const { brief, elapsedMs, leftovers } = await testScenario(scenario, {
      latency: (path) => (path.startsWith('root/d2') ? 60_000 : 1_000),
      cancelAfterMs: 30_000,
    });
    expect(elapsedMs).toBe(30_000);
    expect(brief.findings).toHaveLength(8);
    expect(leftovers).toEqual(NOTHING_LEFT);
  });
});

test('a script that names no node of the scenario is an error that names it', () => {
  expect(() => scripted(scenario, { runs: { 'root/d9': () => [] } })).toThrow(
    /"root\/d9", which scenario "tree" has not/,
  );
});
