/** `espalier run`: a run from its first check to its exit code. */
import { join } from 'node:path';
import { newRunId } from '../runtime/in-process/prepare-run.ts';
import { run } from '../runtime/in-process/start.ts';
import { systemClock } from '../runtime/in-process/system-clock.ts';
import { plan } from '../runtime/plan.ts';
import { rehearse } from '../testing/rehearsal.ts';
import type { Plan } from '../runtime/run.ts';
import { renderBrief } from '../render/brief.ts';
import { renderTerminalBrief } from '../render/terminal-brief.ts';
import { checkDomainNames, checkFaults } from './check-flags.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { onInterrupt } from './interrupts.ts';
import { liveTree } from './live-tree.ts';
import { loadScenario } from './load-scenario.ts';
import { oneLine } from './misuse.ts';
import { runOptionsOf, type RunFlags } from './options.ts';
import { openOtel } from './otel.ts';
import { openOutDir, type OutDir } from './out-dir.ts';
import type { Output } from './output.ts';
import { plainProgress } from './plain-progress.ts';
import type { ProgressView } from './progress-view.ts';
import { createProgress } from './run-progress.ts';
import { canRedraw, paintFor, widthOf } from './screen.ts';
import type { Report } from '../protocol/report.ts';

const viewOf = (decided: Plan): ProgressView =>
  canRedraw(process.stderr) ? liveTree(process.stderr, createProgress(decided)) : plainProgress(process.stderr);

/** A leaf's stray error must not end the run of its siblings: it is said, and the run goes on. */
function onStrayError(say: (text: string) => void): () => void {
  const listener = (error: unknown): void => say(`Stray error, the run goes on: ${oneLine(error)}`);
  process.on('uncaughtException', listener).on('unhandledRejection', listener);
  return () => process.off('uncaughtException', listener).off('unhandledRejection', listener);
}

function deliver(brief: Report, out: OutDir, output: Output, isJson: boolean): void {
  const { files, problems } = out;
  const kept = { Brief: files.brief, Report: files.report, Events: files.events };
  const saved = Object.entries(kept).filter(([, file]) => !problems.has(file));
  const stream = isJson ? process.stderr : process.stdout;
  const screen = renderTerminalBrief(brief, {
    width: widthOf(stream),
    paint: paintFor(stream),
    files: Object.fromEntries(saved),
  });
  // A brief that is on no disk is shown whole: this is the last chance to keep it.
  const text = problems.has(files.brief) && !isJson ? `${renderBrief(brief)}\n${screen}` : screen;
  if (isJson) {
    output.note(text.trimEnd());
    output.result(`${JSON.stringify(brief, null, 2)}\n`);
  } else output.result(text);
  for (const problem of problems.values()) output.note(`espalier: ${problem}`);
}

export async function runCommand(file: string, flags: RunFlags, output: Output): Promise<number> {
  const options = runOptionsOf(flags);
  // Before the scenario's modules are loaded: an instrument that is made before there is an SDK stays silent.
  const otel = await openOtel(flags.otel === true, (line) => output.note(line));
  const scenario = await loadScenario(file, options);
  checkDomainNames(scenario, flags);
  const decided = plan(scenario, options);
  checkFaults(decided, flags);
  const runId = newRunId();
  const out = openOutDir(flags.out ?? join('runs', runId));
  for (const warning of decided.warnings) output.note(`Note: ${warning}`);

  const view = viewOf(decided);
  const cancellation = new AbortController();
  const interrupts = onInterrupt(
    () => {
      view.say('Interrupted: closing with what was found. Press ^C again to end at once.');
      cancellation.abort();
    },
    () => {
      view.close();
      out.flush();
      process.exit(EXIT.interrupted);
    },
  );
  let say = (text: string): void => view.say(text);
  const endStrays = onStrayError((text) => say(text));
  try {
    const { brief, status } = await run(scenario, {
      ...options,
      ...(flags.fault && rehearse(flags.fault, systemClock)),
      ...(otel && { telemetry: otel.telemetry }),
      runId,
      signal: cancellation.signal,
      onEvent(event) {
        out.write(event);
        view.show(event);
      },
    });
    view.close();
    out.finish(brief);
    deliver(brief, out, output, flags.json === true);
    return exitCodeOf(status, { wasCancelled: interrupts.wasInterrupted, isUnsaved: out.problems.size > 0 });
  } finally {
    view.close();
    out.flush();
    interrupts.release();
    say = (text) => output.note(text); // the view is closed
    await otel?.close();
    endStrays();
  }
}
