/** `espalier resume`: an interrupted run goes on. */
import type { Store, StoredRun } from '../ports/store.ts';
import { resumedOptions } from '../runtime/record/open-record.ts';
import { plan } from '../runtime/plan.ts';
import { loadScenario } from './load-scenario.ts';
import { misuse } from './misuse.ts';
import type { StoreFlags } from './open-store.ts';
import { budgetOf, type BudgetFlags } from './options.ts';
import { readOrigin } from './origin.ts';
import { openOtel, type OtelFlags } from './otel.ts';
import { holdsOthers, openOutDir, type OutDir } from './out-dir.ts';
import type { Output } from './output.ts';
import { perform } from './perform.ts';
import { elsewhereAgain, hostAt, type HostFlags } from './restate-peer.ts';
import { readSigningKey } from './signing-key.ts';
import { openRun } from './stored-run.ts';

export type ResumeFlags = StoreFlags &
  BudgetFlags &
  OtelFlags &
  HostFlags & {
    out?: string;
    sign?: string;
    json?: boolean;
    /** In ms. */
    deadline?: number;
    concurrency?: number;
    retryFailed?: boolean;
  };

export async function resumeCommand(given: string, flags: ResumeFlags, output: Output): Promise<number> {
  const otel = await openOtel(flags, (line) => output.note(line));
  const signingKey = flags.sign === undefined ? undefined : readSigningKey(flags.sign);
  const { store, run } = await openRun(given, flags);
  try {
    const { runId: resume } = run;
    const origin = readOrigin(run);
    const host = await hostAt(elsewhereAgain(origin.server, flags), flags.header);
    const scenario = await loadScenario(origin.file, { ...origin.flags, willRun: !host }, []);
    const { synthesis } = origin.flags;
    await host?.checkReady?.(scenario);
    const { deadline, concurrency, retryFailed } = flags;
    const options = {
      store,
      resume,
      origin: run.origin,
      ...(host && { host }),
      ...(synthesis && { synthesis }),
      ...(signingKey && { signingKey }),
      ...(deadline !== undefined && { deadline }),
      ...(concurrency !== undefined && { concurrency }),
      ...budgetOf(flags),
      ...(retryFailed !== undefined && { retryFailed }),
    };
    const decided = plan(scenario, resumedOptions(scenario, options));
    const out = openFiles(store, run, flags.out ?? origin.out, flags.out !== undefined);
    if (run.state !== 'running') {
      const again = host ? 'its server tells it once more, and nothing runs again' : againOf(run.state, retryFailed);
      output.note(`The run had ended, ${run.state}: ${again}.`);
    }
    return await perform({ scenario, decided, options, out, otel, isJson: flags.json === true }, output);
  } finally {
    store.close();
  }
}

/**
 * The events that were written when the run was cut off may end in the middle of one; the store has them whole.
 * @throws EspalierError `run-busy` while another process is at work, whose files they are
 */
function openFiles(store: Store, { runId }: StoredRun, directory: string, isGiven: boolean): OutDir {
  const claim = store.claim(runId);
  try {
    if (isGiven || !holdsOthers(directory, runId)) return openOutDir(directory, store.events(runId));
  } finally {
    claim.release();
  }
  throw misuse(`The directory ${directory} of run ${runId} holds other files by now. Name another with --out.`);
}

function againOf(state: StoredRun['state'], retryFailed = false): string {
  if (state === 'complete') return 'only nodes that have changed since run again';
  if (retryFailed) return 'only what was cut off or had failed runs again';
  return 'only what was cut off runs again. With --retry-failed, what had failed does, too';
}
