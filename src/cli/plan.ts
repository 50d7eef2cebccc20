/** `espalier plan`: the decision before anything runs. */
import { plan } from '../runtime/plan.ts';
import { renderPlanTree } from '../render/plan-tree.ts';
import { checkDomainNames, checkFaults } from './check-flags.ts';
import { EXIT } from './exit-code.ts';
import { loadScenario } from './load-scenario.ts';
import { runOptionsOf, type PlanFlags } from './options.ts';
import type { Output } from './output.ts';
import { paintFor, widthOf } from './screen.ts';

export async function planCommand(file: string, flags: PlanFlags, output: Output): Promise<number> {
  const options = runOptionsOf(flags);
  const scenario = await loadScenario(file, options);
  checkDomainNames(scenario, flags);
  const decided = plan(scenario, options);
  checkFaults(decided, flags);
  if (flags.json) {
    output.result(`${JSON.stringify(decided, null, 2)}\n`);
    return EXIT.complete;
  }
  output.result(renderPlanTree(decided, { width: widthOf(process.stdout), paint: paintFor(process.stdout) }));
  return EXIT.complete;
}
