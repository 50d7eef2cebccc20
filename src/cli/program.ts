/** The command line: its commands, options and help. Everything that goes wrong ends as one line and an exit code. */
import { Command } from 'commander';
import { HOST_VERSION } from '../version.ts';
import { EXIT } from './exit-code.ts';
import { failureOf } from './misuse.ts';
import { storeOption } from './open-store.ts';
import {
  concurrencyOption,
  deadlineOption,
  faultOption,
  jsonOption,
  maxSeverityOption,
  incrementalOption,
  outOption,
  signOption,
  withBudgetOptions,
  withHostOptions,
  withOtelOptions,
  withScenarioOptions,
  type CheckFlags,
  type PlanFlags,
  type RunFlags,
} from './options.ts';
import type { Output } from './output.ts';
import { addRecordCommands } from './record-commands.ts';
import type { ResumeFlags } from './resume.ts';
import type { VerifyFlags } from './verify.ts';
import { addWorkerCommand } from './worker-command.ts';

const EXAMPLES = `
Examples:
  espalier run scenarios/us-tech-2008.ts                       the brief on the screen and in runs/<run id>
  espalier run scenarios/us-tech-2008.ts --as-of 2009-03-01    with what was known on another day
  espalier run scenarios/us-tech-2008.ts --json | jq .assessment
  espalier run scenarios/us-tech-2008.ts --fault root/macro=hang --deadline 5s
  espalier plan scenarios/us-tech-2008.ts --max-depth 1        what would run, and what would not
  espalier run scenarios/thesis.ts --thesis "Hold railways" --approve    with Claude, once you approve the plan
  espalier show latest                                         who was slow, what was lost, what it cost
  espalier verify latest                                       that nothing was changed or lost since
  espalier check scenarios/us-tech-2008.ts                     what is likely wrong with it

Exit codes: 0 complete, 3 partial, 1 failed, 2 misuse, 130 on a second ^C.
"check", "verify" and "doctor" end with 1 when they found something.
A first ^C closes the run: the brief is delivered with what was found. "resume" does the rest.`;

// A command is imported when it is called: help, version and misuse need neither the other one nor the runtime.
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
  withHostOptions(withOtelOptions(withScenarioOptions(program.command('run'))))
    .description('run a scenario and deliver its brief')
    .addOption(faultOption)
    .addOption(incrementalOption())
    .addOption(outOption)
    .addOption(jsonOption('the root report'))
    .addOption(signOption())
    .addOption(storeOption())
    .option('--approve', 'ask the deciders first, models too, and run only what you approve: yes, no, or an edit')
    .option('--no-store', 'keep nothing that could be resumed, shown or verified')
    .action(async (file: string, flags: RunFlags) => {
      const { runCommand } = await import('./run.ts');
      conclude(await runCommand(file, flags, output));
    });
  withScenarioOptions(program.command('plan'))
    .description('show the decision before anything runs')
    .option('--ask', 'ask deciders that have to be waited for, such as a model: that costs what it costs')
    .addOption(storeOption())
    .addOption(faultOption)
    .addOption(jsonOption('the plan'))
    .action(async (file: string, flags: PlanFlags) => {
      const { planCommand } = await import('./plan.ts');
      conclude(await planCommand(file, flags, output));
    });
  withScenarioOptions(program.command('check'))
    .description('look a scenario over: needless waits, hidden reads, tiers that do not pay')
    .option('--rehearse', "execute the scenario's code once, sources and all, and observe what each node reads")
    .addOption(maxSeverityOption)
    .addOption(jsonOption('the remarks'))
    .action(async (file: string, flags: CheckFlags) => {
      const { checkCommand } = await import('./check.ts');
      conclude(await checkCommand(file, flags, output));
    });
  withHostOptions(withOtelOptions(withBudgetOptions(program.command('resume'))), 'where it was begun')
    .description('go on with a run that was interrupted: what had ended is taken over')
    .argument('<run>', 'its id, the beginning of it, or "latest"; "espalier runs" lists them')
    .addOption(deadlineOption('the run'))
    .addOption(concurrencyOption('the run'))
    .option('--retry-failed', 'also do again what had failed by its own doing')
    .addOption(outOption)
    .addOption(jsonOption('the root report'))
    .addOption(signOption())
    .addOption(storeOption())
    .action(async (run: string, flags: ResumeFlags) => {
      const { resumeCommand } = await import('./resume.ts');
      conclude(await resumeCommand(run, flags, output));
    });
  addWorkerCommand(program, output, conclude);
  addRecordCommands(program, output, conclude);
  program
    .command('verify')
    .description('recompute a run from its leaves to its brief, and say what is not as it was made')
    .argument('<run>', 'its id, the beginning of it, "latest", or the brief.json of one')
    .option('--key <file>', 'accept only a signature by this public key, in PEM')
    .addOption(jsonOption('what was checked'))
    .addOption(storeOption())
    .action(async (run: string, flags: VerifyFlags) => {
      const { verifyCommand } = await import('./verify.ts');
      conclude(await verifyCommand(run, flags, output));
    });
  return program;
}

/** Performs one command line, without the two words before its arguments. Resolves with the exit code. */
export async function espalier(args: readonly string[], output: Output): Promise<number> {
  let code: number = EXIT.complete;
  const program = programOf(output, (concluded) => (code = concluded));
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    const commands = program.commands.map((command) => command.name());
    const failure = failureOf(error, commands);
    if (failure.line !== undefined) output.note(`espalier: ${failure.line}`);
    return failure.code;
  }
}
