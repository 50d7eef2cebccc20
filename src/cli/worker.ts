/** `espalier worker`: serves the nodes of scenarios to a Restate server, until it is told to end. */
import type { Domain, Scenario } from '../define/spec.ts';
import { artifactFolder } from '../adapters/artifacts/artifact-folder.ts';
import type { Role } from '../restate.ts';
import { EspalierError } from '../errors.ts';
import { modelsFor } from '../runtime/limits.ts';
import { escapeTerminal } from '../render/escape-terminal.ts';
import { EXIT } from './exit-code.ts';
import { onInterrupt } from './interrupts.ts';
import { loadScenario } from './load-scenario.ts';
import { misuse, reasonOf } from './misuse.ts';
import { runOptionsOf, type ScenarioFlags } from './options.ts';
import { openOtel, type OtelFlags } from './otel.ts';
import type { Output } from './output.ts';
import { loadRestate, type SentHeaders } from './restate-peer.ts';
import { onStrayError } from './stray-errors.ts';

export type WorkerFlags = OtelFlags &
  Pick<ScenarioFlags, 'asOf' | 'thesis' | 'maxDepth' | 'data' | 'domains' | 'policy'> & {
    role: Role;
    port: number;
    hostname: string;
    /** Where the server reaches it, when that is not where it listens. */
    advertise?: string;
    /** The admin URL of the server to register at. */
    register?: string;
    artifacts?: string;
    identityKey?: string[];
    header?: SentHeaders;
  };

const SERVES: Readonly<Record<Role, string>> = {
  all: 'orchestrators and leaves',
  orchestrator: 'orchestrators',
  leaf: 'leaves',
};

export async function workerCommand(files: readonly string[], flags: WorkerFlags, output: Output): Promise<number> {
  const { role, port, hostname, advertise, register, artifacts, identityKey } = flags;
  const { services, serve } = await loadRestate();
  const otel = await openOtel(flags, (line) => output.note(line));
  const given = runOptionsOf(flags);
  // A run brings along what it was given. Of several scenarios one may be a function, and the others not.
  const toFunctions = files.length > 1 ? [] : (['asOf', 'thesis', 'maxDepth', 'data', 'domains', 'policy'] as const);
  const scenarios: Scenario[] = [];
  for (const file of files) {
    const load = (willRun: boolean): Promise<Scenario> => loadScenario(file, { ...given, willRun }, toFunctions);
    const scenario = role === 'orchestrator' ? await load(false) : undefined;
    scenarios.push(scenario && !mayAsk(scenario) ? scenario : await checked(load(true)));
  }
  checkNames(scenarios);
  if (register !== undefined && advertise === undefined && EVERYWHERE.has(hostname)) {
    throw misuse(
      `--hostname ${hostname} is every address of this machine, and the server must be told one. Add --advertise.`,
    );
  }
  const bound = services(scenarios, {
    role,
    ...(artifacts !== undefined && { artifacts: artifactFolder(artifacts) }),
    ...(otel && { telemetry: otel.telemetry }),
  });
  const toEnd = Promise.withResolvers<void>();
  const interrupts = onInterrupt(toEnd.resolve, () => process.exit(EXIT.interrupted));
  const endStrays = onStrayError((text) => output.note(text));
  try {
    const serving = await serve({
      services: bound,
      port,
      hostname,
      ...(identityKey && { identityKeys: identityKey }),
    }).catch((error: unknown) => {
      if (EspalierError.isInstance(error)) throw error;
      throw misuse(
        `The worker cannot listen at ${hostname}:${port}: ${reasonOf(error)}. Name another with --port or --hostname.`,
        error,
      );
    });
    try {
      const names = scenarios.map(({ name }) => escapeTerminal(name)).join(', ');
      output.result(`Serving ${SERVES[role]} of ${names} at ${serving.uri}\n`);
      await introduce(advertise ?? serving.uri, flags, output);
      await toEnd.promise;
      output.note('Closing: what is at work here begins again at another worker, or at this one when it is back.');
    } finally {
      await serving.close();
    }
  } finally {
    endStrays();
    await otel?.close();
    interrupts.release();
  }
  return EXIT.complete;
}

/** Whether orchestrators may ask models: those do who say so, and whoever does the work of a leaf may. */
function mayAsk({ decide, synthesize, execute, stages }: Scenario | Domain): boolean {
  const children = stages.flat();
  const isAsking = decide?.asks !== undefined || synthesize?.asks !== undefined || execute !== undefined;
  return isAsking || children.some((child) => child.kind === 'domain' && mayAsk(child));
}

/** @throws EspalierError `invalid-input` when its models cannot be asked, such as without a key */
async function checked(loading: Promise<Scenario>): Promise<Scenario> {
  const scenario = await loading;
  modelsFor(scenario, {})?.adapter.checkReady?.();
  return scenario;
}

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Each scenario has services of its own, under its name. */
function checkNames(scenarios: readonly Scenario[]): void {
  const names = scenarios.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw misuse(`Two of the scenarios are called "${twice}". Give each a name of its own, or a worker of its own.`);
  }
}

/** Makes the worker known to the server, or says how. */
async function introduce(uri: string, { register, identityKey, header }: WorkerFlags, output: Output): Promise<void> {
  const isKeyed = identityKey !== undefined;
  if (register === undefined) {
    output.note('Make it known to the server: --register ADMIN_URL does, such as --register http://127.0.0.1:9070');
    return;
  }
  const fault = (why: string, cause?: unknown): Error =>
    new EspalierError(
      'server-fault',
      `The worker could not be registered at ${register}: ${why}. Start the server, or correct --register.`,
      { cause },
    );
  const answer = await fetch(new URL('deployments', withSlash(register)), {
    method: 'POST',
    headers: { ...header, 'content-type': 'application/json' },
    // The same address with other code is what a worker that was started anew has.
    body: JSON.stringify({ uri, force: true }),
  }).catch((error: unknown) => {
    throw fault(reasonOf(error instanceof Error && error.cause !== undefined ? error.cause : error), error);
  });
  if (!answer.ok) {
    const text = await answer.text();
    if (isKeyed && text.includes('401 Unauthorized')) {
      throw new EspalierError(
        'server-fault',
        `The server at ${register} does not sign its requests with the --identity-key of this worker, which does not answer it. Give the key that the server names in its log, or the server the private one.`,
      );
    }
    throw fault(`it answered ${answer.status}: ${escapeTerminal(text.slice(0, 300))}`);
  }
  output.note(`Registered at ${register} as ${uri}`);
}
const withSlash = (url: string): string => (url.endsWith('/') ? url : `${url}/`);
