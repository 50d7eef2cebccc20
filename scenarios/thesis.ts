/**
 * A thesis of your own, examined by Claude: a planner chooses among the domains, agents search the web, and models write
 * the syntheses, held to their books. It takes a key, and costs money: `plan` says how much.
 *
 *     export ANTHROPIC_API_KEY=…
 *     npm run -s espalier -- plan scenarios/thesis.ts --thesis "Hold European railways"
 *     npm run -s espalier -- run scenarios/thesis.ts --thesis "Hold European railways" --budget-usd 3
 */
import { realpathSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { defineScenario, EspalierError, memoryFolder, renderBrief, run } from 'espalier';
import type { ModelsSpec, Scenario } from 'espalier';
import { planByModel, synthesizeByModel } from 'espalier/agents';
import { anthropic } from 'espalier/anthropic';
import { companyByAgents } from '../domains/company/by-agents.ts';
import { macroByAgents } from '../domains/macro/by-agents.ts';
import { sectorByAgents } from '../domains/sector/by-agents.ts';

type Flags = {
  readonly thesis?: string;
  readonly asOf?: string;
  /** Whether it is to be run here: to be looked at, or run by workers elsewhere, it needs no key. */
  readonly willRun?: boolean;
};

export default function thesisScenario({ thesis, asOf, willRun = false }: Flags): Scenario {
  if (thesis === undefined)
    throw misuse('This scenario has no thesis of its own. Give one: --thesis "Hold European railways".');
  if (asOf !== undefined)
    throw misuse('Its agents search the web, which cannot be read as of an earlier day. Leave out --as-of.');
  return defineScenario({
    name: 'thesis',
    description: 'What the economy, the sector and the companies say about a thesis, as agents find it on the web.',
    thesis,
    domains: [macroByAgents, sectorByAgents, companyByAgents],
    models: modelsFor(willRun),
    memory: memoryFolder('runs/memory'),
    decide: planByModel(),
    synthesize: synthesizeByModel(),
    limits: { maxDepth: 2, deadline: '20m', concurrency: 6, budget: { usd: 15 } },
  });
}

/** Looked at without a key it has one in name only, which nobody will use. */
function modelsFor(willRun: boolean): ModelsSpec {
  const { ANTHROPIC_API_KEY: apiKey = '', ANTHROPIC_BASE_URL: baseURL } = process.env;
  if (willRun && apiKey.trim() === '') {
    throw misuse(
      'This scenario asks Claude, and there is no key. Set ANTHROPIC_API_KEY; or run one that needs none: scenarios/us-tech-2008.ts, or scenarios/csv-folder.ts --data DIR over data of your own.',
    );
  }
  return { adapter: anthropic({ apiKey: apiKey.trim() || 'none', ...(baseURL && { baseURL }) }) };
}

const misuse = (message: string): EspalierError => new EspalierError('invalid-input', message);

// Run as a script, not imported. From Node 24.2 on `import.meta.main` says so.
const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  try {
    const { thesis } = parseArgs({ options: { thesis: { type: 'string' } } }).values;
    const { brief } = await run(thesisScenario({ ...(thesis !== undefined && { thesis }), willRun: true }));
    process.stdout.write(renderBrief(brief));
  } catch (error) {
    const isMisuse = (EspalierError.isInstance(error) && error.code === 'invalid-input') || error instanceof TypeError;
    if (!isMisuse) throw error;
    console.error(`thesis: ${error.message}`);
    process.exitCode = 2;
  }
}
