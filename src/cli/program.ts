/** The command line: its commands, options and help. Everything that goes wrong ends as one line and an exit code. */
import { Command } from 'commander';
import { HOST_VERSION } from '../version.ts';
import { EXIT } from './exit-code.ts';
import { failureOf } from './misuse.ts';
import { jsonOption, otelOption, outOption, withScenarioOptions, type PlanFlags, type RunFlags } from './options.ts';
import { storeOption } from './open-store.ts';
import type { Output } from './output.ts';
import { planCommand } from './plan.ts';
import { runCommand } from './run.ts';

const EXAMPLES = `
Examples:
  espalier run scenarios/us-tech-2008.ts                       the brief on the screen and in runs/<run id>
  espalier run scenarios/us-tech-2008.ts --as-of 2009-03-01    with what was known on another day
  espalier run scenarios/us-tech-2008.ts --json | jq .assessment
  espalier run scenarios/us-tech-2008.ts --fault root/macro=hang --deadline 5s
  espalier plan scenarios/us-tech-2008.ts --max-depth 1        what would run, and what would not

Exit codes: 0 complete, 3 partial, 1 failed, 2 misuse, 130 on a second ^C.
A first ^C closes the run: the brief is delivered with what was found.`;

function programOf(output: Output, conclude: (code: number) => void): Command {
  const program = new Command('espalier')
    .description('Runs a thesis through a tree of agents, and brings back a brief.')
    .version(HOST_VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.result(text),
      // Help that nobody asked for. Faults are written by whoever catches them, in one line.
      writeErr: (text) => output.note(text.trimEnd()),
      outputError: () => {},
    })
    .addHelpText('after', EXAMPLES);
  withScenarioOptions(program.command('run'))
    .description('run a scenario and deliver its brief')
    .addOption(outOption)
    .addOption(jsonOption('the root report'))
    .addOption(otelOption)
    .action(async (file: string, flags: RunFlags) => conclude(await runCommand(file, flags, output)));
  withScenarioOptions(program.command('plan'))
    .description('show the decision before anything runs')
    .addOption(storeOption())
    .addOption(jsonOption('the plan'))
    .action(async (file: string, flags: PlanFlags) => conclude(await planCommand(file, flags, output)));
  return program;
}

/** Performs one command line, without the two words before its arguments. Resolves with the exit code. */
export async function espalier(args: readonly string[], output: Output): Promise<number> {
  let code: number = EXIT.complete;
  try {
    await programOf(output, (concluded) => (code = concluded)).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    const failure = failureOf(error);
    if (failure.line !== undefined) output.note(`espalier: ${failure.line}`);
    return failure.code;
  }
}
