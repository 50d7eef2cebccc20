import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { defineScenario, run, type Report, type RunEvent, type RunOutcome } from 'espalier';
import { describe, expect, test } from 'vitest';
import scenario from '../../scenarios/us-tech-2008.ts';

const asOf = (date: string): Promise<RunOutcome> => run(scenario, { asOf: date });
const convictionOf = ({ brief }: RunOutcome): number => brief.assessment?.conviction ?? Number.NaN;
/** What a report says, without what differs from run to run. */
const said = ({ findings, escalations, assessment, relations, conflicts, gaps, narrative }: Report) => ({
  findings,
  escalations,
  assessment,
  relations,
  conflicts,
  gaps,
  narrative,
});

describe('June 2008', () => {
  test('the evidence contradicts the thesis, and the economy contradicts the shares', async () => {
    const events: RunEvent[] = [];
    const { brief, escalations, status } = await run(scenario, { onEvent: (event) => events.push(event) });
    expect(status).toBe('complete');
    expect(brief.children.map(({ path }) => path)).toEqual(['root/macro', 'root/sector', 'root/company']);
    expect(brief.assessment?.conviction).toBeLessThanOrEqual(-25);
    expect(brief.assessment?.verdict).toBe('contradicted');
    expect(brief.assessment?.label).toContain('as of 2008-06-01: not a forecast');
    expect(brief.relations).toContainEqual(
      expect.objectContaining({ kind: 'contradicts', between: ['root/company', 'root/macro'] }),
    );

    expect(escalations.filter(({ stance }) => stance < 0).length).toBeGreaterThanOrEqual(2);
    const reported = events.flatMap((event) => (event.type === 'finding.reported' ? [event.finding] : []));
    for (const finding of escalations) {
      expect(JSON.stringify(reported.find(({ id }) => id === finding.id))).toBe(JSON.stringify(finding));
    }
    expect(brief.retention?.verbatim).toBe(1);
    expect(brief.children.map(({ retention }) => retention?.verbatim)).toEqual([1, 1, 1]);
  });

  test('with one tier less the domains execute themselves, and the balance stays', async () => {
    const { brief } = await run(scenario, { maxDepth: 1 });
    expect(brief.assessment?.conviction).toBeLessThanOrEqual(-25);
    expect(brief.run?.observedDepth).toBe(1);
    expect(brief.run?.demotions.toSorted()).toEqual(['root/company', 'root/macro', 'root/sector']);
    for (const { path } of brief.children) {
      expect(brief.findings.some((finding) => finding.path === path)).toBe(true);
    }
  });

  test('with no depth at all the root does what it can alone', async () => {
    const { brief } = await run(scenario, { maxDepth: 0 });
    expect(brief.status).toBe('complete');
    expect(brief.findings.length).toBeGreaterThan(3);
  });
});

test('the balance is for the thesis before the crisis, and most against it at the trough', async () => {
  expect(convictionOf(await asOf('2007-11-01'))).toBeGreaterThan(0);
  expect(convictionOf(await asOf('2009-03-01'))).toBeLessThan(-50);
});

const monthEnds = Array.from({ length: 60 }, (_, i) => new Date(Date.UTC(2006, i + 1, 0)).toISOString().slice(0, 10));

test('every month-end of 2006 to 2010 gives a conviction', async () => {
  for (const date of monthEnds) {
    const outcome = await asOf(date);
    expect(outcome.status).toBe('complete');
    expect(convictionOf(outcome)).toSatisfy(Number.isFinite);
    expect(outcome.escalations.length).toBe(outcome.brief.escalations.length);
  }
});

test.each(['2006-02-28', '2008-06-01', '2009-03-01', '2010-12-31'])(
  'removing every point not yet available on %s leaves the report unchanged',
  async (date) => {
    const past = defineScenario({
      ...scenario,
      limits: {},
      sources: {
        async load(id, io) {
          const record = await scenario.sources?.load(id, io);
          if (!record) throw new Error('the scenario has sources');
          return { ...record, observations: record.observations.filter(({ availableAt }) => availableAt <= date) };
        },
      },
    });
    const [whole, cut] = await Promise.all([asOf(date), run(past, { asOf: date })]);
    expect(said(cut.brief)).toEqual(said(whole.brief));
  },
);

test('as a plain script it prints the brief', async () => {
  const root = new URL('../..', import.meta.url);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=espalier-source', 'scenarios/us-tech-2008.ts'],
    { cwd: root },
  );
  expect(stdout).toContain('Hold US large-cap technology');
  expect(stdout).toContain('not a forecast');
});
