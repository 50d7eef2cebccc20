/** The commands that ask about stored runs, and what they are given. */
import { Option, type Command } from 'commander';
import { misuse } from './misuse.ts';
import { storeOption } from './open-store.ts';
import { jsonOption, wholeNumber } from './options.ts';
import type { DoctorFlags } from './doctor.ts';
import type { Output } from './output.ts';
import type { PruneFlags } from './prune.ts';
import type { RunsFlags } from './runs.ts';
import type { ShowFlags } from './show.ts';
import { SHOWN_STATES } from './shown-state.ts';
import type { TraceFlags } from './trace.ts';

const DAY_MS = 86_400_000;
const AGE_MS = { h: DAY_MS / 24, d: DAY_MS, w: 7 * DAY_MS } as const;

function age(text: string): number {
  const [, amount, unit] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  if (amount !== undefined) return Number(amount) * AGE_MS[unit as keyof typeof AGE_MS];
  throw misuse(`"${text}", given to --older-than, is no age. Give one such as 12h, 30d or 8w.`);
}

function since(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN;
  // A day that the calendar does not have is taken for the next one that it has.
  if (!Number.isNaN(at) && (text.length > 10 || new Date(at).toISOString().startsWith(text))) return at;
  throw misuse(`"${text}", given to --since, is no calendar date. Write it as YYYY-MM-DD.`);
}

const scenarioOption = (): Option => new Option('--scenario <name>', 'only runs of this scenario');

const fileOption = (option: string, what: string): Option =>
  new Option(`${option} <file>`, what).argParser((text: string) => {
    if (text === '') throw misuse(`The file of ${option} is empty. Name the file to write to, or "-" for stdout.`);
    return text;
  });

/** Adds `show`, `trace`, `runs` and `doctor`. */
export function addRecordCommands(program: Command, output: Output, conclude: (code: number) => void): void {
  program.enablePositionalOptions(); // what stands after "prune" is for prune, not for the list
  program
    .command('show')
    .description('what a stored run answers: who was slow, what was lost, what it cost; or all about one node')
    .argument('<run>', 'its id, the beginning of it, or "latest"; "espalier runs" lists them')
    .argument('[path]', 'a node of it: root/macro')
    .option('--artifact <name>', 'print the bytes of an artifact that the node kept, and nothing else')
    .addOption(jsonOption('the same'))
    .addOption(storeOption())
    .action(async (run: string, path: string | undefined, flags: ShowFlags) => {
      const { showCommand } = await import('./show.ts');
      conclude(await showCommand(run, path, flags, output));
    });
  program
    .command('trace')
    .description('write a stored run as a trace: who waited for whom, where it was lost, on one page')
    .argument('<run>', 'its id, the beginning of it, or "latest"; "espalier runs" lists them')
    .addOption(fileOption('--jaeger', 'write what Jaeger\'s page opens without a server; "-" is stdout'))
    .addOption(fileOption('--otlp', 'write OTLP/JSON, which collectors take; "-" is stdout'))
    .addOption(storeOption())
    .action(async (run: string, flags: TraceFlags) => {
      const { traceCommand } = await import('./trace.ts');
      conclude(await traceCommand(run, flags, output));
    });
  const runs = program
    .command('runs')
    .description('list stored runs, the latest first')
    .enablePositionalOptions()
    .addOption(scenarioOption())
    .addOption(new Option('--state <state>', 'only runs in this state').choices(SHOWN_STATES))
    .addOption(
      new Option('--since <date>', 'only runs that started on this day, YYYY-MM-DD, or later').argParser(since),
    )
    .addOption(new Option('--limit <n>', 'how many at most (default: 20)').argParser(wholeNumber('--limit', 1)))
    .addOption(jsonOption('the list'))
    .addOption(storeOption())
    .action(async (flags: RunsFlags) => {
      const { runsCommand } = await import('./runs.ts');
      conclude(await runsCommand(flags, output));
    });
  runs
    .command('prune')
    .description('forget runs; never one that is being worked on')
    .addOption(new Option('--keep <n>', 'keep this many, the latest').argParser(wholeNumber('--keep', 0)))
    .addOption(new Option('--older-than <age>', 'only runs that are older: 12h, 30d, 8w').argParser(age))
    .addOption(scenarioOption())
    .option('--dry-run', 'only say which would go')
    .addOption(jsonOption('what went'))
    .addOption(storeOption())
    .action(async (flags: PruneFlags) => {
      // Ignored, one of them could make more runs go than were meant.
      const misplaced = runs.options.find((option) => runs.getOptionValueSource(option.attributeName()) === 'cli');
      if (misplaced) throw misuse(`${misplaced.long} stands before "prune". Give it after, if prune has it.`);
      const { pruneCommand } = await import('./prune.ts');
      conclude(await pruneCommand(flags, output));
    });
  program
    .command('doctor')
    .description('whether all is well here: Node, terminal, store, optional packages')
    .addOption(jsonOption('the findings'))
    .addOption(storeOption())
    .action(async (flags: DoctorFlags) => {
      const { doctorCommand } = await import('./doctor.ts');
      conclude(await doctorCommand(flags, output));
    });
}
