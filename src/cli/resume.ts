/** `espalier resume`: an interrupted run goes on. */
import { resumedOptions } from '../runtime/record/open-record.ts';
import { plan } from '../runtime/plan.ts';
import { loadScenario } from './load-scenario.ts';
import type { StoreFlags } from './open-store.ts';
import { budgetOf, type BudgetFlags } from './options.ts';
import { readOrigin } from './origin.ts';
import { openOtel } from './otel.ts';
import { openOutDir } from './out-dir.ts';
import type { Output } from './output.ts';
import { perform } from './perform.ts';
import { readSigningKey } from './signing-key.ts';
import { openRun } from './stored-run.ts';

export type ResumeFlags = StoreFlags &
  BudgetFlags & {
    out?: string;
    otel?: boolean;
    sign?: string;
    json?: boolean;
    /** In ms. */
    deadline?: number;
    concurrency?: number;
    retryFailed?: boolean;
  };

export async function resumeCommand(given: string, flags: ResumeFlags, output: Output): Promise<number> {
  const otel = await openOtel(flags.otel === true, (line) => output.note(line));
  const signingKey = flags.sign === undefined ? undefined : readSigningKey(flags.sign);
  const { store, run } = await openRun(given, flags);
  try {
    const { runId: resume } = run;
    const origin = readOrigin(run);
    const scenario = await loadScenario(origin.file, origin.flags);
    const { deadline, concurrency, retryFailed } = flags;
    const options = {
      store,
      resume,
      origin: run.origin,
      ...(signingKey && { signingKey }),
      ...(deadline !== undefined && { deadline }),
      ...(concurrency !== undefined && { concurrency }),
      ...budgetOf(flags),
      ...(retryFailed !== undefined && { retryFailed }),
    };
    const decided = plan(scenario, resumedOptions(scenario, options));
    store.claim(resume).release(); // refused while another process is at work, before its files are touched
    // The events that were written when the run was cut off may end in the middle of one; the store has them whole.
    const out = openOutDir(flags.out ?? origin.out, store.events(resume));
    return await perform({ scenario, decided, options, out, otel, isJson: flags.json === true }, output);
  } finally {
    store.close();
  }
}
