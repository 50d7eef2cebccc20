/**
 * A thesis on real data, without a key or a server.
 *
 *     npm start                                          with a live tree, and a brief on disk
 *     npx node scenarios/us-tech-2008.ts                 the same run as a plain script
 */
import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { defineScenario, renderBrief, run } from 'espalier';
import { vegaDatasets } from 'espalier/vega-datasets';
import { company } from '../domains/company/domain.ts';
import { macro } from '../domains/macro/domain.ts';
import { sector } from '../domains/sector/domain.ts';

const domains = [macro, sector, company];

const scenario = defineScenario({
  name: 'us-tech-2008',
  description: 'What the economy, the sector and the shares say about holding large-cap technology.',
  thesis: 'Hold US large-cap technology (MSFT, AAPL, IBM, AMZN, GOOG)',
  asOf: '2008-06-01',
  domains,
  sources: vegaDatasets(),
  limits: { maxDepth: 2, deadline: '8m', concurrency: 10 },
  // With no depth at all the root does what each domain would do with its depth spent.
  execute: async (context) => (await Promise.all(domains.map(async ({ execute }) => execute?.(context) ?? []))).flat(),
});

export default scenario;

// Run as a script, not imported. From Node 24.2 on `import.meta.main` says so.
const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  const { brief } = await run(scenario);
  process.stdout.write(renderBrief(brief));
}
