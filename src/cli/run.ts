/** `espalier run`: a new run. */
import { join, resolve } from 'node:path';
import type { Scenario } from '../define/spec.ts';
import { approvedPlan } from '../runtime/ask-plan.ts';
import { modelsFor } from '../runtime/limits.ts';
import { newRunId } from '../runtime/open-run.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { plan } from '../runtime/plan.ts';
import type { AskedPlan, RunOptions } from '../runtime/run.ts';
import { rehearse } from '../testing/rehearsal.ts';
import { checkDomainNames, checkFaults } from './check-flags.ts';
import { loadScenario } from './load-scenario.ts';
import { misuse } from './misuse.ts';
import { openStore } from './open-store.ts';
import { runOptionsOf, type RunFlags } from './options.ts';
import { originOf } from './origin.ts';
import { openOtel } from './otel.ts';
import { openOutDir } from './out-dir.ts';
import type { Output } from './output.ts';
import { perform } from './perform.ts';
import { elsewhere, hostAt } from './restate-peer.ts';
import { readSigningKey } from './signing-key.ts';
import { terminalApproval } from './terminal-approval.ts';

export async function runCommand(file: string, flags: RunFlags, output: Output): Promise<number> {
  const options = runOptionsOf(flags);
  const server = elsewhere(flags);
  if (server && flags.fault) {
    throw misuse(
      '--fault breaks nodes of this process, and those of --host restate are at the workers. Leave one out.',
    );
  }
  const host = await hostAt(server, flags.header);
  // Before the scenario's modules are loaded: an instrument that is made before there is an SDK stays silent.
  const otel = await openOtel(flags, (line) => output.note(line));
  const scenario = await loadScenario(file, { ...options, willRun: !host || flags.approve === true });
  checkDomainNames(scenario, flags);
  checkFaults(plan(scenario, options), flags);
  // Before anything is made on disk.
  if (host) await host.checkReady?.(scenario);
  else modelsFor(scenario, options)?.adapter.checkReady?.();
  const signingKey = flags.sign === undefined ? undefined : readSigningKey(flags.sign);
  const runId = newRunId();
  const directory = flags.out ?? join('runs', runId);
  const store = flags.store === false ? undefined : await openStore(flags);
  try {
    const planOptions = { ...options, ...(store && { store }) }; // expects what earlier runs took
    const approved = flags.approve ? await approvedOnTerminal(scenario, planOptions, output) : undefined;
    const out = openOutDir(directory);
    return await perform(
      {
        scenario,
        decided: approved ?? plan(scenario, planOptions),
        options: {
          ...options,
          ...(approved && { decided: approved.decided }),
          ...(flags.fault && rehearse(flags.fault, systemClock)),
          ...(host && { host }),
          ...(store && { store, origin: originOf({ file, out: resolve(directory), flags: options, server }) }),
          ...(signingKey && { signingKey }),
          runId,
        },
        out,
        otel,
        isJson: flags.json === true,
      },
      output,
    );
  } finally {
    store?.close();
  }
}

async function approvedOnTerminal(scenario: Scenario, options: RunOptions, output: Output): Promise<AskedPlan> {
  const { approve, close } = terminalApproval(scenario, options, output);
  try {
    return await approvedPlan(scenario, { ...options, approve });
  } finally {
    close();
  }
}
