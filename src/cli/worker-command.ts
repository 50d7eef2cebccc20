/** The command `worker`, and what it is given. */
import { Option, type Command } from 'commander';
import { misuse } from './misuse.ts';
import { headerOption, withOtelOptions, withTreeOptions } from './options.ts';
import type { Output } from './output.ts';
import type { WorkerFlags } from './worker.ts';

const MOST_PORT = 65_535;

function port(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= MOST_PORT) return value;
  throw misuse(`"${text}", given to --port, is no port. Give one from 1 to ${MOST_PORT}, or 0 for one that is free.`);
}

const GIVEN = `
A scenario that is a function is called here and by whoever calls: give both the same --thesis, --data, --max-depth and
so on where it makes its tree by them. What a run is asked travels with it.`;

const isHttp = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

function advertised(text: string): string {
  if (isHttp(text)) return text;
  throw misuse(`"${text}", given to --advertise, is no URL. Give one that the server reaches: http://workers:9080.`);
}

function adminUrl(text: string): string {
  if (isHttp(text)) return text;
  throw misuse(
    `"${text}", given to --register, is no URL. Give that of the server's admin API: http://127.0.0.1:9070.`,
  );
}

/** One value for each flag: an option of several would take the scenarios after it for its own. */
const oneMore = (key: string, earlier: string[] = []): string[] => [...earlier, key];

export function addWorkerCommand(program: Command, output: Output, conclude: (code: number) => void): void {
  const worker = withOtelOptions(program.command('worker'))
    .description('serve the nodes of scenarios to a Restate server, for "run --host restate"')
    .argument('<scenarios...>', 'files whose default export is a scenario, or a function that returns one')
    .addOption(
      new Option('--role <role>', 'which nodes: pools of their own may serve orchestrators and leaves')
        .choices(['orchestrator', 'leaf', 'all'])
        .default('all'),
    )
    .addOption(new Option('--port <n>', 'listen here').argParser(port).default(9080))
    .option('--hostname <name>', 'and at this address; others than this machine reach it at 0.0.0.0', '127.0.0.1')
    .addOption(
      new Option(
        '--advertise <url>',
        'where the server reaches it, such as the URL of a load balancer (default: where it listens)',
      ).argParser(advertised),
    )
    .addOption(new Option('--register <url>', 'make it known to the server with this admin URL').argParser(adminUrl))
    .option('--artifacts <dir>', 'a folder that all workers share, for big outputs (default: none can be kept)')
    .addOption(
      new Option(
        '--identity-key <key>',
        'answer only the server that has this public key; may be given several times',
      ).argParser(oneMore),
    )
    .addOption(headerOption('what is sent to --register'));
  withTreeOptions(worker)
    .addHelpText('after', GIVEN)
    .action(async (files: string[], flags: WorkerFlags) => {
      const { workerCommand } = await import('./worker.ts');
      conclude(await workerCommand(files, flags, output));
    });
}
