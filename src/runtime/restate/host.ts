/**
 * The caller's side of a distributed run. The run goes on at the server whether or not its caller lives; what it says is
 * read from its ledger, and stored, traced and shown here as if it had happened here.
 *  1. Every event is told once and in the ledger's order; whoever comes back is told from where the record ends.
 *  2. `result` resolves when all events have been told.
 *  3. Of a run that the server has never been given nothing is kept, as of one that this process refuses.
 */
import type { Scenario } from '../../define/spec.ts';
import { EspalierError } from '../../errors.ts';
import { ROOT } from '../../protocol/path.ts';
import type { Artifacts } from '../../ports/artifacts.ts';
import type { Report } from '../../protocol/report.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import { faultOf } from '../../tier/fault.ts';
import { bodyOf } from '../../tier/synthesis-check.ts';
import { debouncesOf } from '../interim-desks.ts';
import { hasCaps, openRun, startedEvent, type OpenedRun } from '../open-run.ts';
import { attachRecord } from '../record/attach-record.ts';
import { outcomeOf } from '../run-outcome.ts';
import type { RunHandle, RunHost, RunOptions, RunOutcome } from '../run.ts';
import { systemClock } from '../system-clock.ts';
import { BRISK_MS, callerAt, type Caller, type IngressOptions } from './ingress.ts';
import type { Ending } from './ledger.ts';
import { serviceNames } from './names.ts';
import { MOST_RESULT_BYTES, tooManyIn } from './piece-size.ts';
import { checkDistributable } from './services.ts';
import { checkGivenOnce, checkRecord, eventsOfServer, forgotten } from './taken-up.ts';
import { watchInterims, type InterimWatch } from './watch-interims.ts';
import type { Foreknowledge, RunInput } from './wire.ts';

/** `ingress`: the URL of the Restate server's ingress, such as `http://127.0.0.1:8080`. `headers`: for who asks for them. */
export type RestateOptions = IngressOptions & {
  /** Where the workers keep big outputs: what a stored run refers to is copied from there into its store. */
  artifacts?: Artifacts;
};

/**
 * The host that performs runs at a Restate server, by workers that serve `services(scenario)`.
 * @throws EspalierError `invalid-input` on what is no URL
 * @example
 * const outcome = await run(scenario, { host: restate({ ingress: 'http://127.0.0.1:8080' }) });
 */
export function restate(options: RestateOptions): RunHost {
  callerAt(options, serviceNames(''), ''); // says at once what is wrong with it
  return {
    name: 'restate',
    async checkReady(scenario) {
      checkDistributable(scenario);
      await callerAt(options, serviceNames(scenario.name), scenario.name).checkReady();
    },
    start: (scenario, given) => startDistributed(scenario, given, options),
  };
}

/** What only this process has, and no worker would see. */
const ONLY_HERE = ['clock', 'random', 'pressure', 'models', 'hedge'] as const;

function startDistributed(scenario: Scenario, given: RunOptions, to: RestateOptions): RunHandle {
  checkDistributable(scenario);
  const alien = ONLY_HERE.find((name) => given[name] !== undefined && given[name] !== false);
  if (alien !== undefined) {
    throw new EspalierError(
      'invalid-input',
      `The option ${alien} is of this process, and the run's nodes are at the workers. Leave it out with the host "restate".`,
    );
  }
  checkGivenOnce(given);
  const opened = openRun(scenario, given, systemClock, {
    asksModels: false,
    ...(given.resume !== undefined && { record: attachRecord }),
  });
  const caller = callerAt(to, serviceNames(scenario.name), scenario.name);
  return new DistributedRun(opened, { caller, scenario, artifacts: to.artifacts }).handle;
}

/** The path of the run's own span. */
const RUN = '';
type Given = { caller: Caller; scenario: Scenario; artifacts: Artifacts | undefined };

class DistributedRun {
  readonly handle: RunHandle;
  readonly #opened: OpenedRun<RunOptions>;
  readonly #given: Given;
  readonly #interims: InterimWatch | undefined;
  readonly #outcome = Promise.withResolvers<RunOutcome>();
  #ending: Ending | undefined;
  #isNew = false;
  #mayHaveBegun = false;
  #isSubmitted = false;
  #isOver = false;
  readonly #fetched = new Set<string>();

  constructor(opened: OpenedRun<RunOptions>, given: Given) {
    this.#opened = opened;
    this.#given = given;
    const { runId, asOf, stream, options, lost, registry } = opened;
    const debounceOf = debouncesOf(registry, options.synthesis);
    const watched = { clock: systemClock, emit: stream.emit };
    const common = { runId, ...(asOf !== undefined && { asOf }) };
    this.#interims = debounceOf && watchInterims({ ...watched, debounceOf }, common);
    const { signal } = options;
    const cancel = (): void => this.#end('cancel');
    this.#outcome.promise.catch(() => {}); // whoever stops a run need not also catch its result
    this.handle = {
      runId,
      events: stream.events,
      result: this.#outcome.promise,
      interim: () => this.#interims?.latestOf(ROOT),
      cancel,
      stop: () => this.#stop(),
    };
    lost.addEventListener('abort', () => this.#close(() => this.#outcome.reject(lost.reason)), { once: true });
    queueMicrotask(() => {
      if (this.#isOver) return;
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
      this.#perform().then(
        (report) => this.#close(() => this.#outcome.resolve(outcomeOf(report))),
        (error: unknown) => {
          this.#close(() => this.#outcome.reject(this.#explained(error)));
          if (!this.#mayHaveBegun) this.#forget();
        },
      );
    });
  }

  async #perform(): Promise<Report> {
    const { runId, stream, issuedAt } = this.#opened;
    const input = this.#input();
    checkSize(input);
    checkRecord(this.#opened);
    await this.#given.caller.checkReady(BRISK_MS);
    // The first event is known here: so its trace can begin before the run does, and travel with it.
    this.#isNew = await this.#begins();
    if (this.#isNew && !this.#isOver) stream.emit(startedEvent(this.#given.scenario, this.#opened), issuedAt);
    this.#mayHaveBegun = true;
    const sent = await this.#given.caller.submit(this.#traced(input));
    this.#isSubmitted = true;
    if (this.#ending) this.#send(this.#ending);
    const result = this.#given.caller.result(sent);
    const broken = result.then(async () => {
      // Then the ledger says all that there is to say. It is forgotten on time, results are at the server's leisure.
      if (!(await this.#given.caller.isKept(runId))) throw forgotten(runId);
      return new Promise<never>(() => {});
    });
    broken.catch(() => {});
    await this.#tell(runId, broken);
    return result;
  }
  /** Whether nobody has started it before. Of an id that was given only the server knows: it is asked for a trace's sake. */
  async #begins(): Promise<boolean> {
    const { options, runId, telemetry } = this.#opened;
    const { caller } = this.#given;
    if (options.resume !== undefined) {
      // What would begin there anew has said nothing of what the record holds, unless that is only that it was to begin.
      if (eventsOfServer(this.#opened) > 1 && (await caller.isNew(runId))) throw forgotten(runId);
      return false;
    }
    if (options.runId === undefined) return true;
    return telemetry !== undefined && caller.isNew(runId).catch(() => false);
  }
  /** Tells what the ledger says, from where the record ends, until the run is over. */
  async #tell(runId: string, broken: Promise<never>): Promise<void> {
    const { stream } = this.#opened;
    let known = this.#isNew ? 1 : eventsOfServer(this.#opened);
    for (let cursor = 0; ;) {
      const page = await Promise.race([this.#given.caller.feed({ runId, cursor }), broken]);
      for (const { at, event } of page.events) {
        if (known > 0) known--;
        else {
          this.#fetch(event);
          stream.emit(event, at);
        }
        this.#interims?.see(event);
      }
      if (page.isOver || this.#isOver) return;
      ({ cursor } = page);
    }
  }
  /** What a report refers to is in its record, too. */
  #fetch(event: RunEventBody): void {
    const { record } = this.#opened;
    const { artifacts } = this.#given;
    if (!record || !artifacts || (event.type !== 'node.reported' && event.type !== 'node.failed')) return;
    const outcome = event.type === 'node.reported' ? event.report : event.token;
    for (const { sha256 } of bodyOf(outcome)?.artifacts ?? []) {
      const bytes = this.#fetched.has(sha256) ? undefined : artifacts.bytes(sha256);
      this.#fetched.add(sha256);
      if (bytes) record.artifacts.keep(sha256, bytes);
    }
  }
  #input(): RunInput {
    const { options, runId, thesis, asOf, issuedAt, limits, history, learned, record } = this.#opened;
    const { decided } = options;
    const foreknowledge: Foreknowledge | undefined =
      history.size + (learned?.size ?? 0) > 0 || decided
        ? { durations: [...history], learned: [...(learned ?? [])], ...(decided && { decided }) }
        : undefined;
    return {
      spec: {
        runId,
        scenario: this.#given.scenario.name,
        thesis,
        ...(asOf !== undefined && { asOf }),
        issuedAt,
        limits,
        ...(options.domains && { domains: options.domains }),
        ...(options.policy && { policy: options.policy }),
        ...(hasCaps(this.#opened.registry) && { hasCaps: true }),
        ...(record && { isStored: true }),
        ...(foreknowledge && { hasForeknowledge: true }),
      },
      ...(foreknowledge && { foreknowledge }),
    };
  }
  /** With the run's span, which begins with its first event. */
  #traced(input: RunInput): RunInput {
    const { telemetry, runId } = this.#opened;
    const traceparent = telemetry?.traceparentOf(runId, RUN);
    return traceparent === undefined ? input : { ...input, spec: { ...input.spec, traceparent } };
  }
  #end(ending: Ending): void {
    if (this.#isOver || this.#ending) return;
    this.#ending = ending;
    if (this.#isSubmitted) this.#send(ending);
  }
  #send(ending: Ending): void {
    this.#given.caller.end(this.#opened.runId, ending).catch((error: unknown) => {
      if (ending === 'cancel') this.#close(() => this.#outcome.reject(this.#explained(error)));
    });
  }
  #stop(): void {
    if (this.#isOver) return;
    if (this.#isSubmitted) this.#send('stop');
    else this.#ending = 'stop';
    this.#close(() => this.#outcome.reject(this.#stopped()));
  }
  /** Its record would say that it was cut off, and there is nothing to go on with. */
  #forget(): void {
    const { store, resume } = this.#opened.options;
    if (!store || resume !== undefined) return;
    try {
      store.remove(this.#opened.runId);
    } catch {
      // a store that will not have it removed keeps a run without events
    }
  }
  #close(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#interims?.close();
    this.#given.caller.close();
    this.#opened.stream.close();
    settle();
  }
  #stopped(): EspalierError {
    return new EspalierError('stopped', `The run ${this.#opened.runId} was stopped before it could deliver.`);
  }
  #explained(error: unknown): EspalierError {
    if (EspalierError.isInstance(error)) return error.code === 'stopped' ? this.#stopped() : error;
    const { message } = faultOf(error);
    return new EspalierError('host-fault', `The run ${this.#opened.runId} broke: ${message}. Report it.`, {
      cause: error,
    });
  }
}

/** @throws EspalierError `invalid-input` on more than the server takes, or its nodes could be told */
function checkSize(input: RunInput): void {
  const bytes = tooManyIn(JSON.stringify(input), MOST_RESULT_BYTES);
  if (bytes === undefined) return;
  throw new EspalierError(
    'invalid-input',
    `What the run is given, its thesis above all, has ${bytes} bytes, and ${MOST_RESULT_BYTES} can travel to a Restate server. Shorten it: what is long belongs into a source or an artifact.`,
  );
}
