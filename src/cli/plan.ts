/** `espalier plan`: the decision before anything runs. */
import { existsSync, statSync } from 'node:fs';
import type { Scenario } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import type { Store } from '../ports/store.ts';
import { plan } from '../runtime/plan.ts';
import { askPlan } from '../runtime/ask-plan.ts';
import type { Plan, RunOptions } from '../runtime/run.ts';
import { renderPlanTree } from '../render/plan-tree.ts';
import { checkDomainNames, checkFaults } from './check-flags.ts';
import { EXIT } from './exit-code.ts';
import { loadScenario } from './load-scenario.ts';
import { oneLine } from './misuse.ts';
import { openStore } from './open-store.ts';
import { runOptionsOf, type PlanFlags } from './options.ts';
import type { Output } from './output.ts';
import { paintFor, widthOf } from './screen.ts';

/** With what earlier runs took, where they were kept. Nothing is made here, and a store that is broken only costs that. */
async function planned(scenario: Scenario, flags: PlanFlags, output: Output): Promise<Plan> {
  const options = runOptionsOf(flags);
  const { store: file } = flags;
  let store: Store | undefined;
  if (typeof file === 'string' && existsSync(file) && statSync(file).size > 0) {
    try {
      store = await openStore({ store: file });
      return await planOf(scenario, { ...options, store }, flags);
    } catch (error) {
      if (!EspalierError.isInstance(error) || error.code !== 'store-fault') throw error;
      output.note(`espalier: ${oneLine(error)} This plan does without earlier runs.`);
    } finally {
      store?.close();
    }
  }
  return planOf(scenario, options, flags);
}

const planOf = async (scenario: Scenario, options: RunOptions, { ask }: PlanFlags): Promise<Plan> =>
  ask ? askPlan(scenario, options) : plan(scenario, options);

export async function planCommand(file: string, flags: PlanFlags, output: Output): Promise<number> {
  const scenario = await loadScenario(file, { ...runOptionsOf(flags), willRun: flags.ask === true });
  checkDomainNames(scenario, flags);
  const decided = await planned(scenario, flags, output);
  checkFaults(decided, flags);
  if (flags.json) {
    output.result(`${JSON.stringify(decided, null, 2)}\n`);
    return EXIT.complete;
  }
  output.result(renderPlanTree(decided, { width: widthOf(process.stdout), paint: paintFor(process.stdout) }));
  return EXIT.complete;
}
