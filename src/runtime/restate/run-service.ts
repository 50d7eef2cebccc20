/**
 * A run as an invocation: a gather over one child, the root. Whoever called may go and come back; it goes on.
 *  1. It ends with the root's report, by the deadline, whatever becomes of the root.
 *  2. Asked to conclude it delivers what there is; told to stop it delivers nothing.
 *  3. What its objects hold is forgotten in the end, also when it is killed and can say nothing any more.
 */
import { TerminalError, type Context } from '@restatedev/restate-sdk';
import type { Scenario } from '../../define/spec.ts';
import { canonicalJson, sha256 } from '../../protocol/digest.ts';
import type { Finding } from '../../protocol/finding.ts';
import { ROOT } from '../../protocol/path.ts';
import type { Report } from '../../protocol/report.ts';
import { startedEvent } from '../open-run.ts';
import { amendRoot, gatherOverRoot, reportOfRoot, rootTask, tokenGapOf, type RunKnows } from '../root.ts';
import { call, send } from './calls.ts';
import { gather } from './gather.ts';
import type { Kit } from './kit.ts';
import type { Ending, Opening, Standing, UnderRoot } from './ledger.ts';
import { nodeOf, type Worker } from './node.ts';
import { canTravel } from './piece-size.ts';
import { isLimited, overdrawn, Purse } from './purse.ts';
import type { Noted, RunInput } from './wire.ts';

export const STOPPED = 'stopped';
/** Two executions at two workers have nobody between them who could let the first answer count. */
const NO_HEDGES: Noted['event'] = {
  type: 'limit.ignored',
  path: ROOT,
  limit: 'hedge',
  message:
    'The limit hedge has no effect at a Restate server: a leaf that straggles is not executed twice. Leave it out, or run in one process.',
};

export async function performRun(
  ctx: Context,
  { spec, foreknowledge }: RunInput,
  given: { scenario: Scenario; worker: Worker; kit: Kit; retentionMs: number },
): Promise<Report> {
  const { worker, scenario, kit, retentionMs } = given;
  const { runId, issuedAt, limits, thesis } = spec;
  const node = nodeOf(ctx, worker, { spec, kit, made: [] });
  const { ledger, outbox, cancellation } = node;

  const deadline = issuedAt + limits.deadlineMs;
  const started: Noted = {
    at: issuedAt,
    event: startedEvent(scenario, { thesis, asOf: spec.asOf, limits, deadline }),
  };
  const noted = limits.hedge ? [started, { at: issuedAt, event: NO_HEDGES }] : [started];
  const { id: invocation } = ctx.request();
  const forgetAfterMs = limits.deadlineMs + retentionMs;
  const opening: Opening = { invocation, issuedAt, noted, forgetAfterMs, ...(foreknowledge && { foreknowledge }) };
  const ending = await call<Ending | null>(ctx, { ...ledger, method: 'open' }, opening);
  const forget = (): void => {
    send(ctx, { service: worker.names.slots, key: runId, method: 'forget' }, null);
    if (isLimited(node)) send(ctx, { service: worker.names.budget, key: runId, method: 'forget' }, null);
    send(ctx, { ...ledger, method: 'forget', delay: retentionMs }, { issuedAt });
  };
  const close = (last: readonly Noted[] = []): void => {
    send(ctx, { ...ledger, method: 'close' }, last);
    forget();
  };
  const stop = (): never => {
    close();
    throw new TerminalError(STOPPED, { errorCode: 499 });
  };
  if (ending === 'stop') stop();
  if (ending === 'cancel') cancellation.askEarly();

  const isAsking = scenario.decide?.asks !== undefined;
  const task = rootTask({ runId, thesis, asOf: spec.asOf, limits, issuedAt, deadline, isAsking });
  const { reserveMs = 0, leaves = 0 } = kit.registry.get(ROOT) ?? {};
  const purse = new Purse(limits.budget);
  const known = async (hasFailed: boolean): Promise<RunKnows & Pick<Standing, 'criticals'>> => {
    outbox.flush();
    const { criticals, late } = await call<Standing>(ctx, { ...ledger, method: 'standing' }, null);
    const beyond = isLimited(node) ? await overdrawn(node) : null;
    const { ended, decided } = hasFailed
      ? await call<UnderRoot>(ctx, { ...ledger, method: 'underRoot' }, null)
      : { ended: [], decided: undefined };
    return { criticals, afterthoughts: late, overdrawn: beyond ?? undefined, underRoot: ended, decided };
  };
  const joined = await gather(node, gatherOverRoot(task, { reserveMs, leaves }), {
    purse,
    async amend(report) {
      const hasFailed = tokenGapOf(report) !== undefined;
      const knows = await known(hasFailed);
      const heard = hasFailed ? await call<Finding[]>(ctx, { ...ledger, method: 'under' }, ROOT) : [];
      return { report: amendRoot(report, task, heard, knows), heard: knows.criticals };
    },
  });
  if (cancellation.isAsked && (await call<Ending | null>(ctx, { ...ledger, method: 'ending' }, null)) === 'stop')
    stop();
  const outcome = joined.ended[0]?.outcome;
  const report = reportOfRoot(task, outcome, await known(outcome?.kind === 'failure'));
  if (!canTravel(report)) {
    close();
    throw new TerminalError('its brief has more bytes than can travel. Keep what is big as artifacts');
  }
  const { status, digest } = report;
  const at = Math.max(report.timing.endedAt, issuedAt);
  outbox.note(at, { type: 'run.completed', path: ROOT, status, digest, sha256: sha256(canonicalJson(report)) });
  close(outbox.take());
  return report;
}
