/** What a worker binds: the services of scenarios, by role, so that orchestrators and leaves can have pools of their own. */
import * as restate from '@restatedev/restate-sdk';
import type { Context } from '@restatedev/restate-sdk';
import { parseDuration } from '../../define/duration.ts';
import type { Scenario } from '../../define/spec.ts';
import { EspalierError } from '../../errors.ts';
import type { Artifacts } from '../../ports/artifacts.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Report } from '../../protocol/report.ts';
import { budgetObject } from './budget-object.ts';
import { call } from './calls.ts';
import { feedFrom, type FeedInput } from './feed.ts';
import { Kits } from './kit.ts';
import { driveLeaf } from './leaf.ts';
import { ledgerObject } from './ledger.ts';
import { serviceNames } from './names.ts';
import { createWorkshop, nodeOf, type Worker } from './node.ts';
import { driveOrchestrator } from './orchestrator.ts';
import { answers } from './piece-size.ts';
import { Purse } from './purse.ts';
import { performRun } from './run-service.ts';
import { slotsObject } from './slots-object.ts';
import type { Foreknowledge, NodeAnswer, NodeInput, RunInput, RunSpec } from './wire.ts';

/** `orchestrator`: who decides, waits and keeps the books. `leaf`: who does the work. */
export type Role = 'orchestrator' | 'leaf' | 'all';
export type ServicesOptions = {
  /** Which of them. Default: all. */
  role?: Role;
  /** Where big outputs lie that every worker can read. Default: none, and a leaf that keeps one fails. */
  artifacts?: Artifacts;
  /**
   * Traces of the authors' own work: in the spans of their nodes where the caller's telemetry derives ids, else in the
   * run's. Default: none.
   */
  telemetry?: Telemetry;
  /** How long the server keeps a run that has ended, for callers who come back: `'24h'` or ms. Default a day. */
  retention?: number | string;
  /**
   * How long an orchestrator that waits stays in memory: `'1s'` or ms. Shorter, and it is replayed more often; longer,
   * and it holds its place at the server. Default 1 s.
   */
  idle?: number | string;
};
export type Service = restate.ServiceDefinition<string, unknown> | restate.VirtualObjectDefinition<string, unknown>;

const DAY_MS = 86_400_000;
/** Of a node's journal, for people: its answer is in its parent's. */
const NODE_RETENTION_MS = 60 * 60_000;
/** Of a page of events, for a caller who asks again because the answer was lost. */
const PAGE_RETENTION_MS = 60_000;
/** A leaf at work is not idle, whatever the server sees of it. */
const LEAF_IDLE_MS = DAY_MS;
/** A fault of ours or of the network. A server pauses what keeps failing, and its parent would wait; we let it fail. */
const RETRIES: restate.RetryPolicy = {
  initialInterval: 100,
  exponentiationFactor: 2,
  maxInterval: 5_000,
  maxAttempts: 60,
  onMaxAttempts: 'kill',
};

/**
 * The services of one scenario or of several, for a worker of your own: `restate.serve({ services: services(scenario) })`.
 * @throws EspalierError `invalid-input` on a scenario that cannot be distributed, or an option that cannot be read
 */
export function services(scenarios: Scenario | readonly Scenario[], options: ServicesOptions = {}): Service[] {
  const list = Array.isArray(scenarios) ? (scenarios as readonly Scenario[]) : [scenarios as Scenario];
  return list.flatMap((scenario) => servicesOf(scenario, options));
}

function servicesOf(scenario: Scenario, options: ServicesOptions): Service[] {
  checkDistributable(scenario);
  const { role = 'all' } = options;
  const retentionMs = parseDuration(options.retention ?? DAY_MS, 'retention');
  const idleMs = options.idle === undefined ? 1_000 : idleOf(options.idle);
  const leafIdleMs = options.idle === undefined ? LEAF_IDLE_MS : Math.max(idleMs, idleMs === 0 ? 0 : LEAF_IDLE_MS);
  const names = serviceNames(scenario.name);
  const { artifacts, telemetry } = options;
  const kits = new Kits(scenario, { artifacts, telemetry });
  const worker: Worker = { names, kits, workshop: createWorkshop() };

  const waits = { inactivityTimeout: idleMs, abortTimeout: DAY_MS, retryPolicy: RETRIES };
  const ours = { ...waits, ingressPrivate: true, journalRetention: 0 };
  const node = { ...ours, explicitCancellation: true, journalRetention: NODE_RETENTION_MS };
  const foreknowledgeOf = (ctx: Context, spec: RunSpec): Promise<Foreknowledge> | undefined =>
    spec.hasForeknowledge &&
    call<Foreknowledge>(ctx, { service: names.ledger, key: spec.runId, method: 'foreknowledge' }, null);

  const deciding: Service[] = [
    restate.service({
      name: names.runs,
      handlers: {
        run: restate.handlers.handler(
          { ...waits, explicitCancellation: true, journalRetention: retentionMs, idempotencyRetention: retentionMs },
          async (ctx: Context, input: RunInput): Promise<Report> =>
            worker.kits.using(input.spec, input.foreknowledge, (kit) =>
              performRun(ctx, input, { scenario, worker, kit, retentionMs }),
            ),
        ),
        feed: restate.handlers.handler(
          { ...waits, journalRetention: 0, idempotencyRetention: PAGE_RETENTION_MS },
          (ctx: Context, input: FeedInput) => feedFrom(names.ledger)(ctx, input),
        ),
      },
    }),
    restate.service({
      name: names.orchestrator,
      options: node,
      handlers: {
        run: restate.handlers.handler(
          { output: answers },
          async (ctx: Context, input: NodeInput): Promise<NodeAnswer> => {
            const { spec, made } = input;
            return worker.kits.using(spec, await foreknowledgeOf(ctx, spec), async (kit) => {
              kit.adopt(made);
              const own = nodeOf(ctx, worker, { spec, kit, made });
              const { outcome, at, purse } = await driveOrchestrator(own, input);
              own.outbox.flush(at);
              return { outcome, at, events: [], ...(purse.spent && { spent: purse.spent }) };
            });
          },
        ),
      },
    }),
    ledgerObject(names, { ...waits, journalRetention: 0 }),
    slotsObject(names.slots, names.ledger, ours),
    budgetObject(names.budget, ours),
  ];
  const working: Service[] = [
    restate.service({
      name: names.leaf,
      options: { ...node, inactivityTimeout: leafIdleMs },
      handlers: {
        run: restate.handlers.handler(
          { output: answers },
          async (ctx: Context, { spec, task, made, slot, estimateMs }: NodeInput): Promise<NodeAnswer> => {
            return worker.kits.using(spec, undefined, async (kit) => {
              kit.adopt(made);
              const own = nodeOf(ctx, worker, { spec, kit, made });
              const startedAt = task.grant.issuedAt;
              const purse = new Purse(task.grant.budget);
              const end = await driveLeaf(own, { task, slot, estimateMs, isDemoted: false, startedAt, purse });
              return { ...end, events: own.outbox.take() };
            });
          },
        ),
      },
    }),
  ];
  switch (role) {
    case 'orchestrator':
      return deciding;
    case 'leaf':
      return working;
    case 'all':
      return [...deciding, ...working];
  }
}

/** Zero is for tests: every wait is a replay. */
const idleOf = (idle: number | string): number => (idle === 0 ? 0 : parseDuration(idle, 'idle'));

/** @throws EspalierError `invalid-input` */
export function checkDistributable({ name, dependencies }: Scenario): void {
  if (dependencies !== 'observe') return;
  throw new EspalierError(
    'invalid-input',
    `Scenario "${name}" observes undeclared reads, which nodes on several machines cannot see. Declare them with needs and sources, or run it in one process.`,
  );
}
