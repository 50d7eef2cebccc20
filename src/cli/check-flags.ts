/** Checks what only the scenario can tell: whether the domains and the fault paths exist in it. */
import type { Scenario } from '../define/spec.ts';
import { checkDomains } from '../runtime/limits.ts';
import type { Plan, PlannedNode } from '../runtime/run.ts';
import { checkRehearsedFaults } from '../testing/rehearsal.ts';
import { misuse } from './misuse.ts';
import { alternatives, nearest } from './nearest.ts';
import type { PlanFlags } from './options.ts';

const pathsOf = (node: PlannedNode): string[] => [node.path, ...node.children.flatMap(pathsOf)];

/** @throws EspalierError `invalid-input` */
export function checkDomainNames(scenario: Scenario, { domains }: PlanFlags): void {
  checkDomains(scenario, domains, nearest);
}

/** @throws EspalierError `invalid-input` */
export function checkFaults({ root }: Plan, { fault: faults = [] }: PlanFlags): void {
  const paths = pathsOf(root);
  const unknown = faults.find(({ path }) => !paths.includes(path));
  if (unknown) {
    const near = alternatives(nearest(unknown.path, paths));
    throw misuse(`There is no node "${unknown.path}" in this run to rehearse a --fault at. Did you mean ${near}?`);
  }
  checkRehearsedFaults(faults, root);
}
