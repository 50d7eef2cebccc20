/** A run on the command line, new or resumed: from its first event to its exit code. */
import { run, type InProcessOptions } from '../runtime/in-process/start.ts';
import type { Scenario } from '../define/spec.ts';
import type { Report } from '../protocol/report.ts';
import { renderBrief } from '../render/brief.ts';
import { renderTerminalBrief } from '../render/terminal-brief.ts';
import type { Plan } from '../runtime/run.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { onInterrupt } from './interrupts.ts';
import { liveTree } from './live-tree.ts';
import type { Otel } from './otel.ts';
import type { OutDir } from './out-dir.ts';
import type { Output } from './output.ts';
import { plainProgress } from './plain-progress.ts';
import type { ProgressView } from './progress-view.ts';
import { createProgress } from './run-progress.ts';
import { canRedraw, paintFor, widthOf } from './screen.ts';
import { onStrayError } from './stray-errors.ts';

const viewOf = (decided: Plan): ProgressView =>
  canRedraw(process.stderr) ? liveTree(process.stderr, createProgress(decided)) : plainProgress(process.stderr);

function deliver(brief: Report, out: OutDir, output: Output, isJson: boolean): void {
  const { files, problems } = out;
  const kept = { Brief: files.brief, Report: files.report, Events: files.events, Receipt: files.receipt };
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

export type Performance = {
  readonly scenario: Scenario;
  readonly decided: Plan;
  readonly options: Omit<InProcessOptions, 'signal' | 'onEvent' | 'telemetry'>;
  readonly out: OutDir;
  readonly otel: Otel | undefined;
  readonly isJson: boolean;
};

/** Runs, shows progress, writes the files and prints the brief. Resolves with the exit code. */
export async function perform(given: Performance, output: Output): Promise<number> {
  const { scenario, decided, options, out, otel, isJson } = given;
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
  let isUnstored = false;
  try {
    const { brief, status } = await run(scenario, {
      ...options,
      ...(otel && { telemetry: otel.telemetry }),
      signal: cancellation.signal,
      onEvent(event) {
        isUnstored ||= event.type === 'record.failed';
        out.write(event);
        view.show(event);
      },
    });
    view.close();
    out.finish(brief, options.signingKey);
    deliver(brief, out, output, isJson);
    if (interrupts.wasInterrupted && options.store && !isUnstored && status !== 'complete') {
      output.note(`Do what was cut off: espalier resume ${brief.runId}`);
    }
    const isUnsaved = isUnstored || out.problems.size > 0;
    return exitCodeOf(status, { wasCancelled: interrupts.wasInterrupted, isUnsaved });
  } finally {
    view.close();
    out.flush();
    interrupts.release();
    say = (text) => output.note(text); // the view is closed
    await otel?.close();
    endStrays();
  }
}
