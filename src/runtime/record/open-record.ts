/** Opens the record of a new run, or takes up that of an interrupted one. */
import { definitionDigest, identifyIn, type Identify } from '../../activities/identity.ts';
import type { Registry } from '../../activities/registry.ts';
import { adopt } from '../../activities/sub-domains.ts';
import type { Limits, Scenario } from '../../define/spec.ts';
import { EspalierError } from '../../errors.ts';
import type { Artifacts } from '../../ports/artifacts.ts';
import type { RunWriter, Store } from '../../ports/store.ts';
import { parentOf, ROOT } from '../../protocol/path.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import { HOST_VERSION } from '../../version.ts';
import type { RunOptions } from '../run.ts';
import { readEvent } from './reading.ts';
import { changedSince, recallOf, type Recall } from './recall.ts';
import { createRecorder, type Recorder, type RecorderOptions } from './recorder.ts';
import { signed, signerOf } from './signature.ts';
import { storedArtifacts } from './stored-artifacts.ts';

export type Record = {
  readonly identify: Identify;
  readonly recorder: Recorder;
  readonly artifacts: Artifacts;
  /** How many events the run had. */
  readonly events: number;
  /** Of a resumed run. */
  readonly recall?: Recall;
  /** Nodes that cannot stand because the scenario has changed. */
  readonly invalidated: readonly RunEventBody[];
};
export type RecordOptions = Pick<
  RunOptions,
  'resume' | 'retryFailed' | 'origin' | 'signingKey' | 'domains' | 'asOf' | 'policy'
> & {
  store: Store;
  scenario: Scenario;
  runId: string;
  thesis: string;
  limits: Limits;
  startedAt: number;
  registry: Registry;
  onFailure: RecorderOptions['onFailure'];
};

/** @throws EspalierError `store-fault`, `run-busy` */
export function openRecord(options: RecordOptions): Record {
  const { store, runId, registry, domains, resume, retryFailed = false } = options;
  const identify = identifyIn(registry, domains);
  const claimed = resume === undefined ? store.begin(newRun(options)) : store.claim(runId);
  const { artifacts, writer } = storedArtifacts(store, runId, claimed);
  if (resume === undefined) {
    return { identify, artifacts, recorder: recorded(options, writer), events: 0, invalidated: [] };
  }
  try {
    adoptStored(options);
    const { events = 0, head = '' } = store.run(runId) ?? {};
    const recall = recallOf({ store, runId, identify, retryFailed });
    const { events: invalidated, gone } = changedSince(store, runId, (path) => {
      const entry = registry.get(path);
      return entry && definitionDigest(entry.definition);
    });
    // Still with those of the nodes that are taken back: that is recorded next.
    const before = { head, criticals: recall.criticalsUnder(ROOT), gone };
    const recorder = recorded(options, writer, before);
    for (const event of invalidated) recall.forget(event);
    return { identify, artifacts, recorder, events, recall, invalidated };
  } catch (error) {
    writer.release();
    throw error;
  }
}

/** Who writes down what the run says. `before`: what its record holds already. */
export const recorded = (
  { scenario, signingKey, onFailure }: RecordOptions,
  writer: RunWriter,
  before?: RecorderOptions['before'],
): Recorder =>
  createRecorder({
    scenario: scenario.name,
    writer,
    onFailure,
    ...(before && { before }),
    ...(signingKey && { sign: (receipt) => signed(receipt, signingKey) }),
  });

/** Makes the sub-domains again that the decisions of an interrupted run had made, as far as these still stand. */
function adoptStored({ store, runId, registry }: RecordOptions): void {
  const nodes = [...store.nodes(runId)];
  const unknown = new Set(nodes.flatMap(({ path }) => (registry.has(path) ? [] : [parentOf(path)])));
  for (const { path, definition, seq } of nodes) {
    const entry = unknown.has(path) ? registry.get(path) : undefined;
    if (!entry || seq.planned === undefined || definitionDigest(entry.definition) !== definition) continue;
    const event = readEvent(store.event(runId, seq.planned)?.body ?? '');
    if (event?.type === 'node.planned') adopt(registry, entry, event.decision);
  }
}

const newRun = ({ scenario, runId, thesis, limits, startedAt, asOf, domains, policy, origin = {} }: RecordOptions) => ({
  runId,
  scenario: scenario.name,
  thesis,
  startedAt,
  options: {
    ...(asOf !== undefined && { asOf }),
    deadlineMs: limits.deadlineMs,
    maxDepth: limits.maxDepth,
    concurrency: limits.concurrency,
    ...((limits.hedge || scenario.limits.hedge) && { hedge: limits.hedge ?? (false as const) }),
    ...(Object.keys(limits.budget).length > 0 && { budget: limits.budget }),
    ...(domains && { domains }),
    ...(policy !== undefined && { policy }),
  },
  origin,
  hostVersion: HOST_VERSION,
});

/** The options of an interrupted run, under those given now. @throws EspalierError `invalid-input`, `unknown-run` */
export function resumedOptions<Options extends RunOptions>(scenario: Scenario, options: Options): Options {
  const { store, resume, runId } = options;
  if (resume === undefined) return options;
  if (runId !== undefined && runId !== resume) {
    throw new EspalierError('invalid-input', 'The options name both runId and resume. Give resume alone.');
  }
  if (!store) throw new EspalierError('invalid-input', `There is no store to resume run ${resume} from. Give one.`);
  const run = store.run(resume);
  if (!run) throw new EspalierError('unknown-run', `There is no run ${resume} in ${store.name}.`);
  if (run.scenario !== scenario.name) {
    throw new EspalierError(
      'invalid-input',
      `Run ${resume} is of scenario "${run.scenario}", not of "${scenario.name}". Give the one it was started with.`,
    );
  }
  const signer = run.receipt && signerOf(run.receipt);
  if (signer !== undefined && !options.signingKey) {
    throw new EspalierError(
      'invalid-input',
      `Run ${resume} has ended, and its receipt is signed by ${signer}: to go on with it would leave it unsigned. Give the key that signs it, as signingKey or with --sign.`,
    );
  }
  const { deadlineMs, ...recorded } = run.options;
  const given = Object.entries(options).filter(([, value]) => value !== undefined); // from JavaScript
  const budget = (recorded.budget ?? options.budget) && { budget: { ...recorded.budget, ...options.budget } };
  return {
    deadline: deadlineMs,
    thesis: run.thesis,
    ...recorded,
    ...(Object.fromEntries(given) as Options),
    ...budget,
    runId: resume,
  };
}
