/** The options of `run`, `plan` and `check`, read strictly: what cannot be read is said, never guessed. */
import { Option, type Command } from 'commander';
import { MOST_USD } from '../define/budget.ts';
import { checkAsOf } from '../define/as-of.ts';
import { POLICY_NAMES } from '../define/models.ts';
import { parseDuration } from '../define/duration.ts';
import type { Severity } from '../check/remark.ts';
import type { PolicyName } from '../ports/model.ts';
import type { RunOptions } from '../runtime/run.ts';
import { parseRehearsedFault, type RehearsedFault } from '../testing/rehearsed-fault.ts';
import { misuse } from './misuse.ts';
import type { StoreFlags } from './open-store.ts';
import type { OtelFlags } from './otel.ts';
import type { HostFlags, SentHeaders } from './restate-peer.ts';

/** What a scenario file that exports a function is called with. */
export type ScenarioFlags = Pick<
  RunOptions,
  'asOf' | 'thesis' | 'maxDepth' | 'concurrency' | 'budget' | 'domains' | 'synthesis'
> & {
  /** Which class of model does which work. */
  policy?: PolicyName;
  /** In ms. */
  deadline?: number;
  /** Whether its nodes will work in this process, and ask its models. Else it is only looked at, and needs no key. */
  willRun?: boolean;
  /** A folder for the scenario to read; what is in it is the scenario's business. */
  data?: string;
};
export type BudgetFlags = { budgetUsd?: number; budgetTokens?: number; budgetLeaves?: number };
export type PlanFlags = Omit<ScenarioFlags, 'budget'> &
  BudgetFlags &
  StoreFlags & { fault?: RehearsedFault[]; json?: boolean; ask?: boolean };
export type CheckFlags = ScenarioFlags & { json?: boolean; rehearse?: boolean; maxSeverity: Severity | 'none' };
export type RunFlags = PlanFlags &
  OtelFlags &
  HostFlags & { out?: string; sign?: string; incremental?: boolean; approve?: boolean };

function asOf(text: string): string {
  checkAsOf(text);
  return text;
}

function thesis(text: string): string {
  if (text.trim() === '') throw misuse('The thesis of --thesis is empty. Write the claim to be examined.');
  return text;
}

export const wholeNumber =
  (option: string, least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw misuse(
      `"${text}", given to ${option}, is not a whole number of at least ${least}. Give one such as ${least + 1}.`,
    );
  };

function domains(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) {
    throw misuse(
      `"${text}", given to --domains, is not a list of names. Write them with commas between: "macro,sector".`,
    );
  }
  return [...new Set(names)];
}

const fault = (text: string, earlier: RehearsedFault[] = []): RehearsedFault[] => [
  ...earlier,
  parseRehearsedFault(text),
];

const directory =
  (option: string, purpose: string) =>
  (text: string): string => {
    if (text === '') throw misuse(`The directory of ${option} is empty. Name the directory to ${purpose}.`);
    return text;
  };

/** `from`: where it comes from when it is not given. */
export const deadlineOption = (from = 'the scenario'): Option =>
  new Option(
    '--deadline <duration>',
    `deliver the brief within this time: 90s, 8m, 1h30m (default: as in ${from})`,
  ).argParser((text: string) => parseDuration(text, 'deadline'));
export const concurrencyOption = (from = 'the scenario'): Option =>
  new Option('--concurrency <n>', `how many leaves work at once (default: as in ${from})`).argParser(
    wholeNumber('--concurrency', 1),
  );

function usd(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value <= MOST_USD) return value;
  throw misuse(
    `"${text}", given to --budget-usd, is not an amount of up to ${MOST_USD}. Give US dollars, such as 2.50.`,
  );
}

/** Adds what a run may spend. */
export const withBudgetOptions = (command: Command): Command =>
  command
    .addOption(new Option('--budget-usd <amount>', 'spend at most this much, in US dollars').argParser(usd))
    .addOption(
      new Option('--budget-tokens <n>', 'use at most so many tokens, in and out').argParser(
        wholeNumber('--budget-tokens', 0),
      ),
    )
    .addOption(
      new Option('--budget-leaves <n>', 'let at most so many leaves work').argParser(wholeNumber('--budget-leaves', 0)),
    );

export function budgetOf({ budgetUsd, budgetTokens, budgetLeaves }: BudgetFlags): Pick<RunOptions, 'budget'> {
  const budget = {
    ...(budgetUsd !== undefined && { usd: budgetUsd }),
    ...(budgetTokens !== undefined && { tokens: budgetTokens }),
    ...(budgetLeaves !== undefined && { leaves: budgetLeaves }),
  };
  return Object.keys(budget).length > 0 ? { budget } : {};
}

/** Adds what a scenario that is a function may make its tree by. */
export const withTreeOptions = (command: Command): Command =>
  command
    .addOption(new Option('--as-of <date>', 'use only what was known on this day, YYYY-MM-DD').argParser(asOf))
    .addOption(new Option('--thesis <text>', "examine this claim instead of the scenario's own").argParser(thesis))
    .addOption(
      new Option(
        '--max-depth <n>',
        'the greatest depth any node may have; the root is at 0 (default: as in the scenario)',
      ).argParser(wholeNumber('--max-depth', 0)),
    )
    .addOption(
      new Option('--data <dir>', 'the folder that a scenario such as csv-folder reads').argParser(
        directory('--data', 'read from'),
      ),
    )
    .addOption(new Option('--domains <names>', 'activate only these domains: macro,sector').argParser(domains))
    .addOption(
      new Option(
        '--policy <name>',
        'which models do the work: all of it "fast" or "deep", or "mixed" by kind (default: as in the scenario)',
      ).choices(POLICY_NAMES),
    );
/** Adds the options that say which run of a scenario is meant. */
export const withScenarioOptions = (command: Command): Command =>
  withBudgetOptions(
    withTreeOptions(
      command.argument(
        '<scenario>',
        'a .ts or .js file whose default export is a scenario, or a function that returns one',
      ),
    )
      .addOption(deadlineOption())
      .addOption(concurrencyOption()),
  );

export const faultOption = new Option(
  '--fault <fault>',
  'rehearse a fault: PATH[:plan|gather|synthesize]=hang|throw|silent|invalid|slow:MS; may be given several times',
).argParser(fault);

export const outOption = new Option(
  '--out <dir>',
  'write brief.md, brief.json, events.ndjson and receipt.json here (default: runs/<run id>)',
).argParser(directory('--out', 'write to'));
export const signOption = (): Option =>
  new Option('--sign <file>', 'sign the receipt with this Ed25519 private key, in PEM');
export const incrementalOption = (): Option =>
  new Option('--incremental', 'show how conviction moves: interim syntheses in the whole tree, as its nodes end');
/** Adds what is told to a collector. */
export const withOtelOptions = (command: Command): Command =>
  command
    .option('--otel', 'send traces and metrics over OTLP/http to localhost:4318, or where the OTEL_* variables say')
    .addOption(
      new Option(
        '--otel-service <which>',
        'a trace is of one service for each tier, or of one (default: per-tier, unless OTEL_SERVICE_NAME names it)',
      ).choices(['per-tier', 'single']),
    )
    .option('--otel-content', 'also send what was asked and found: questions, statements, values, messages');
function header(text: string, earlier: SentHeaders = {}): SentHeaders {
  const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(text) ?? [];
  try {
    return { ...earlier, ...Object.fromEntries(new Headers([[name, value]])) };
  } catch {
    // Not what it was: it may be a secret.
    throw misuse(
      'What is given to --header is none. Write it as "NAME: VALUE", such as "authorization: Bearer TOKEN".',
    );
  }
}
/** `where`: that it goes with. */
export const headerOption = (where: string): Option =>
  new Option(
    '--header <header>',
    `"NAME: VALUE", to go with ${where}, for a proxy that asks for it; may be given several times`,
  ).argParser(header);
/** Adds who performs the run, and where that is when it is not said. */
export const withHostOptions = (command: Command, from?: string): Command =>
  command
    .addOption(
      new Option(
        '--host <name>',
        `who performs the run: this process, or the workers of a Restate server (default: ${from ?? 'in-process'})`,
      ).choices(['in-process', 'restate']),
    )
    .option('--ingress <url>', `of --host restate: the server's ingress (default: ${from ?? 'http://127.0.0.1:8080'})`)
    .addOption(headerOption('what --host restate asks its server'))
    .option(
      '--artifacts <dir>',
      "of --host restate: the workers' folder of big outputs, which the store then keeps, too",
    );
export const jsonOption = (what: string): Option =>
  new Option('--json', `print ${what} as JSON on stdout, everything else on stderr`);

export const maxSeverityOption = new Option(
  '--max-severity <severity>',
  'the gravest remark that is let pass; one above it makes the exit code 1',
)
  .choices(['none', 'note', 'warning', 'error'])
  .default('note');

/** The part of the flags that the scenario and the library take. */
export function runOptionsOf({
  asOf,
  thesis,
  deadline,
  maxDepth,
  concurrency,
  domains,
  policy,
  data,
  incremental,
  ...budget
}: PlanFlags & Pick<RunFlags, 'incremental'>): ScenarioFlags {
  return {
    ...(asOf !== undefined && { asOf }),
    ...(thesis !== undefined && { thesis }),
    ...(deadline !== undefined && { deadline }),
    ...(maxDepth !== undefined && { maxDepth }),
    ...(concurrency !== undefined && { concurrency }),
    ...budgetOf(budget),
    ...(domains !== undefined && { domains }),
    ...(policy !== undefined && { policy }),
    ...(data !== undefined && { data }),
    ...(incremental === true && { synthesis: 'incremental' as const }),
  };
}
