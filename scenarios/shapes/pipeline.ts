/**
 * A pipeline: steps in a row by `needs`; each reads the report before it and nothing else. For work whose steps build on
 * one another. Here: do the worst months of the S&P 500 follow stormy years?
 *
 *     npm run -s espalier -- run scenarios/shapes/pipeline.ts
 *     npx node scenarios/shapes/pipeline.ts
 */
import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { CONTEXT_FLAG, defineLeaf, defineScenario, NoEvidence, run, type DraftOf, type Leaf } from 'espalier';
import { vegaDatasets } from 'espalier/vega-datasets';
import { median, standardDeviation } from 'simple-statistics';
import { z } from 'zod';

/** What a step hands on: the `data` of its finding, checked where it leaves and where it arrives. */
const Rows = z.array(z.object({ month: z.string(), value: z.number(), before: z.number().optional() })).min(1);
type Rows = z.infer<typeof Rows>;
const handOn = (statement: string, data: Rows): DraftOf<Rows> => ({ statement, data, flags: [CONTEXT_FLAG] });

/** A step on what the one before it handed on. Where that failed, there is a gap: the run goes on and says so. */
const step = (name: string, before: Leaf<Rows>, work: (rows: Rows) => DraftOf<Rows>): Leaf<Rows> =>
  defineLeaf({
    name,
    needs: [before.name],
    work: 'rules',
    estimate: '10ms',
    data: Rows,
    run(context) {
      const [rows] = before.dataOf(context.need(before.name).findings);
      if (!rows) throw new NoEvidence(`"${before.name}" handed nothing on`);
      return work(rows);
    },
  });

const prices = defineLeaf({
  name: 'prices',
  work: 'extraction',
  sources: ['sp500/close'],
  estimate: '100ms',
  data: Rows,
  async run({ sources }) {
    const { title, observations } = await sources.series('sp500/close');
    const rows = observations.map(({ date, value }) => ({ month: date.slice(0, 7), value }));
    return handOn(`${title}: ${rows.length} monthly closes, ${rows[0]?.month} to ${rows.at(-1)?.month}`, rows);
  },
});

const changes = step('changes', prices, (rows) => {
  const moved = rows.slice(1).map((row, i) => ({ ...row, value: 100 * (row.value / (rows[i]?.value ?? 0) - 1) }));
  return handOn(`In a usual month it moves by ${spread(moved).toFixed(1)} %`, moved);
});

const YEAR = 12;
const storms = step('storms', changes, (rows) => {
  const known = rows.slice(YEAR).map((row, i) => ({ ...row, before: spread(rows.slice(i, i + YEAR)) }));
  return handOn(`For ${known.length} months it is known how stormy the ${YEAR} before were`, known);
});

const WORST = 10;
const verdict = step('verdict', storms, (rows) => {
  const usual = median(rows.map(({ before = 0 }) => before));
  const worst = rows.toSorted((a, b) => a.value - b.value).slice(0, WORST);
  const warned = worst.filter(({ before = 0 }) => before > usual).length;
  return {
    statement: `${warned} of the ${worst.length} worst months follow a year stormier than usual; chance would give half`,
    value: warned,
    stance: (2 * warned) / worst.length - 1,
    confidence: 0.5, // one market, one decade
    data: worst,
  };
});

const spread = (rows: Rows): number => standardDeviation(rows.map(({ value }) => value));

const scenario = defineScenario({
  name: 'pipeline',
  description: 'Prices, changes, storms, verdict: each step works on what the one before it made.',
  thesis: 'The worst months of the S&P 500 follow stormy years',
  domains: [prices, changes, storms, verdict],
  sources: vegaDatasets(),
  limits: { maxDepth: 1, deadline: '1m' },
});

export default scenario;

// Run as a script, not imported.
const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  const { brief } = await run(scenario);
  for (const { path, statement } of brief.findings) console.log(`${path}: ${statement}`);
}
