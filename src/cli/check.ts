/** `espalier check`: what is likely wrong with a scenario, before it costs anything. */
import { check } from '../check/check.ts';
import type { Observed } from '../check/facts.ts';
import { SEVERITIES, type Remark } from '../check/remark.ts';
import type { Scenario } from '../define/spec.ts';
import { renderRemarks } from '../render/remarks.ts';
import { checkDomainNames } from './check-flags.ts';
import { EXIT } from './exit-code.ts';
import { loadScenario } from './load-scenario.ts';
import { runOptionsOf, type CheckFlags, type ScenarioFlags } from './options.ts';
import type { Output } from './output.ts';
import { paintFor, widthOf } from './screen.ts';

export async function checkCommand(file: string, flags: CheckFlags, output: Output): Promise<number> {
  const options = runOptionsOf(flags);
  const scenario = await loadScenario(file, { ...options, willRun: flags.rehearse === true });
  checkDomainNames(scenario, flags);
  const observed = flags.rehearse ? await rehearsed(scenario, options, output) : undefined;
  const remarks = check(scenario, { ...options, ...(observed && { observed }) });
  if (flags.json) {
    const said = { scenario: scenario.name, isRehearsed: observed !== undefined, remarks };
    output.result(`${JSON.stringify(said, null, 2)}\n`);
  } else {
    output.result(renderRemarks(remarks, { width: widthOf(process.stdout), paint: paintFor(process.stdout) }));
  }
  return remarks.some((remark) => isAbove(remark, flags)) ? EXIT.failed : EXIT.complete;
}

async function rehearsed(scenario: Scenario, options: ScenarioFlags, output: Output): Promise<Observed> {
  const [{ observeReads }, { onStrayError }] = await Promise.all([
    import('../testing/observe-reads.ts'),
    import('./stray-errors.ts'),
  ]);
  const endStrays = onStrayError((text) => output.note(text));
  try {
    return await observeReads(scenario, options);
  } finally {
    endStrays();
  }
}

const isAbove = ({ severity }: Remark, { maxSeverity }: CheckFlags): boolean =>
  maxSeverity === 'none' || SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(maxSeverity);
