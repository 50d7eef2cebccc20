/**
 * Waits for a stage's children, and is the only place that creates nodes. A shell over the join reducer.
 *  1. No `start` or `transition` throws: XState gives an actor that threw no chance to stop its children.
 *  2. It owns its children, its timer and its flush timer; on every exit all three are gone.
 *  3. What a child says passes up once: critical findings at once, the rest in batches; and so does what it takes back.
 *  4. A child of other logic than ours is parsed, not believed.
 */
import {
  createActor,
  type ActorLogic,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type Snapshot,
} from 'xstate';
import type { ChildSpec } from '../../protocol/decision.ts';
import type { Finding } from '../../protocol/finding.ts';
import { NONE } from '../../protocol/freeze.ts';
import { childPath, depthOf, ROOT } from '../../protocol/path.ts';
import type { Outcome, UnsealedReport } from '../../protocol/report.ts';
import type { Task } from '../../protocol/task.ts';
import type { Claimant } from '../../tier/budget.ts';
import { childTask, tierOf } from '../../tier/child-task.ts';
import { errorOf } from '../../tier/fault.ts';
import { childGrant, depthIsSpent } from '../../tier/grant.ts';
import { joinStep, openJoin, type Join, type JoinEffect, type JoinEvent, type Joined } from '../../tier/join.ts';
import type { Said } from '../../tier/minting.ts';
import type { GatherInput, Upward } from '../../tier/orchestrator-machine.ts';
import { retractedBy } from '../../tier/retraction.ts';
import { bodyOf } from '../../tier/synthesis-check.ts';
import { guestActor } from './guest-actor.ts';
import { byId, isReport, passingUp, unsent } from './heard.ts';
import { persisted, STOP, tell, tellSelf, type Host, type Scope } from './host.ts';

type GatherSnapshot = Snapshot<Joined> & {
  input: GatherInput;
  join: Join;
  /** How the children of earlier stages ended. */
  before: ReadonlyMap<string, Outcome>;
  /** Named like a machine's, so that inspectors and XState's own clean-up find them. */
  children: Record<string, AnyActorRef>;
  /** What each live child's subtree has said so far: the partial of a child that never answers. */
  heard: Map<string, Said>;
  outbox: Finding[];
  timer: unknown;
  flush: unknown;
};
const NO_CLAIM: Claimant = { weight: 0, leaves: 0 };
/** How long findings that are not critical wait for company on their way up, in ms. */
const FLUSH_MS = 50;

export type GatherOptions = {
  logicFor(child: ChildSpec, task: Task): AnyActorLogic;
  /** A last word on a child's report, before it is sealed. `heard`: what its subtree said. */
  amend?(report: UnsealedReport, heard: Iterable<Finding>): UnsealedReport;
};

export function gatherActor(
  host: Host,
  options: GatherOptions,
): ActorLogic<GatherSnapshot, AnyEventObject, GatherInput> {
  const { clock, emit } = host;

  const flushNow = (snapshot: GatherSnapshot, scope: Scope): void => {
    clock.clearTimeout(snapshot.flush);
    snapshot.flush = undefined;
    const parent = scope.self._parent as AnyActorRef | undefined;
    if (!parent || snapshot.outbox.length === 0) return;
    tell(scope, parent, { type: 'espalier.up', from: scope.self.id, findings: snapshot.outbox.splice(0) });
  };
  const heardFrom = (snapshot: GatherSnapshot, name: string): Said => {
    let said = snapshot.heard.get(name);
    if (!said) snapshot.heard.set(name, (said = new Map()));
    return said;
  };
  const hear = (snapshot: GatherSnapshot, from: string, findings: readonly Finding[], scope: Scope): void => {
    if (findings.length === 0) return;
    const said = heardFrom(snapshot, from);
    let isUrgent = false;
    for (const finding of findings) {
      if (said.has(finding.id)) continue; // said live, and now again in the report
      said.set(finding.id, finding);
      snapshot.outbox.push(finding);
      isUrgent ||= finding.critical !== undefined;
    }
    if (isUrgent) {
      flushNow(snapshot, scope); // within this turn: in the next one a tier above may be dead
    } else if (snapshot.outbox.length > 0) {
      snapshot.flush ??= clock.setTimeout(() => tellSelf(scope, { type: 'gather.flush' }), FLUSH_MS);
    }
  };
  /** What has not been sent up is not sent; of what has, those above are told. */
  const retract = (snapshot: GatherSnapshot, from: string, retracted: readonly string[], scope: Scope): void => {
    if (retracted.length === 0) return;
    const taken = new Set(retracted);
    const said = heardFrom(snapshot, from);
    for (const id of retracted) said.delete(id);
    const unsent = new Set(snapshot.outbox.flatMap(({ id }) => (taken.has(id) ? id : [])));
    snapshot.outbox = snapshot.outbox.filter(({ id }) => !unsent.has(id));
    const sent = retracted.filter((id) => !unsent.has(id));
    const parent = scope.self._parent as AnyActorRef | undefined;
    if (!parent || sent.length === 0) return;
    tell(scope, parent, { type: 'espalier.up', from: scope.self.id, findings: NONE, retracted: sent });
  };
  const stopChild = (snapshot: GatherSnapshot, name: string, scope: Scope): void => {
    const child = snapshot.children[name];
    delete snapshot.children[name];
    if (child) scope.stopChild(child);
  };
  const release = (snapshot: GatherSnapshot, scope: Scope): void => {
    clock.clearTimeout(snapshot.timer);
    clock.clearTimeout(snapshot.flush);
    for (const name of Object.keys(snapshot.children)) stopChild(snapshot, name, scope);
  };
  const report = ({ join, heard }: GatherSnapshot, effect: JoinEffect & { type: 'sealed' }): void => {
    const { name, outcome } = effect;
    heard.delete(name);
    host.observed?.shared.note(outcome);
    if (join.path === ROOT) host.underRoot.push({ name, outcome });
    const path = childPath(join.path, name);
    host.budget.close(path);
    if (outcome.kind === 'report') emit({ type: 'node.reported', path, tier: outcome.tier, report: outcome });
    else emit({ type: 'node.failed', path, tier: outcome.tier, token: outcome });
  };
  const apply = (snapshot: GatherSnapshot, event: JoinEvent, scope: Scope): GatherSnapshot => {
    const { join, input } = snapshot;
    // Of the run's own gather the root's token says it.
    if (event.type === 'expired' && !join.closedBy && join.path !== '') {
      const missing = [...join.children.keys()].filter((name) => !join.ended.has(name));
      const paths = missing.map((name) => childPath(join.path, name));
      emit({ type: 'join.expired', path: join.path, stage: input.stage, missing: paths });
    }
    for (const effect of joinStep(join, event)) {
      switch (effect.type) {
        case 'sealed':
          report(snapshot, effect);
          break;
        case 'stop':
          stopChild(snapshot, effect.name, scope);
          break;
        case 'ignored':
          emit({ type: 'child.late', path: join.path, child: effect.name, why: effect.why, findings: [] });
          break;
        case 'close':
          flushNow(snapshot, scope);
          release(snapshot, scope);
          return { ...snapshot, status: 'done', output: effect.joined, error: undefined };
      }
    }
    return snapshot;
  };
  /** Cut off by a parent that goes on without it: the nodes below end here, and only the run's events say so. */
  const endEach = (snapshot: GatherSnapshot): void => {
    if (host.isStopped) return;
    for (const effect of joinStep(snapshot.join, { type: 'cancelled', at: clock.now(), isCutOff: true })) {
      if (effect.type === 'sealed') report(snapshot, effect);
    }
  };
  const childEnded = (snapshot: GatherSnapshot, name: string, given: unknown, scope: Scope): GatherSnapshot => {
    const { join } = snapshot;
    let output = given;
    if (join.children.has(name) && !join.ended.has(name)) {
      if (options.amend && isReport(output)) output = options.amend(output, heardFrom(snapshot, name).values());
      hear(snapshot, name, passingUp(output), scope);
      if (isReport(output)) retract(snapshot, name, retractedBy(output, heardFrom(snapshot, name)), scope);
    }
    delete snapshot.children[name];
    return apply(snapshot, { type: 'ended', name, output, at: clock.now() }, scope);
  };
  const childCrashed = (snapshot: GatherSnapshot, name: string, error: unknown, scope: Scope, attempts = 1) => {
    delete snapshot.children[name];
    return apply(snapshot, { type: 'crashed', name, error, attempts, at: clock.now() }, scope);
  };
  /** What it had ended with before the run was interrupted passes up as if it were said now. */
  const reuse = (snapshot: GatherSnapshot, name: string, outcome: Outcome, scope: Scope): GatherSnapshot => {
    const { path, tier, status, digest } = outcome;
    if (snapshot.join.path === ROOT) host.underRoot.push({ name, outcome });
    host.observed?.shared.note(outcome);
    emit({ type: 'node.reused', path, tier, status, digest });
    const body = bodyOf(outcome);
    hear(snapshot, name, [...(body?.findings ?? []), ...(body?.escalations ?? [])], scope);
    snapshot.heard.delete(name);
    host.budget.reuse(outcome);
    return apply(snapshot, { type: 'reused', name, outcome, at: clock.now() }, scope);
  };
  /** Anybody can send an event of this name: what counts is what became of the child. */
  const childSaidToHaveEnded = (snapshot: GatherSnapshot, name: unknown, scope: Scope): GatherSnapshot => {
    const { join, children } = snapshot;
    if (typeof name !== 'string') return snapshot;
    const ended = children[name]?.getSnapshot() as Snapshot<unknown> | undefined;
    if (ended?.status === 'done') return childEnded(snapshot, name, ended.output, scope);
    if (ended?.status === 'error') return childCrashed(snapshot, name, ended.error, scope);
    if (ended || (join.children.has(name) && !join.ended.has(name))) {
      const path = childPath(join.path, name);
      emit({ type: 'integrity.alert', path, kind: 'misattributed', message: `${path} was said to have ended` });
      return snapshot;
    }
    return apply(snapshot, { type: 'ended', name, output: undefined, at: clock.now() }, scope);
  };
  const heardLive = (snapshot: GatherSnapshot, { from, findings, retracted }: Upward, scope: Scope): GatherSnapshot => {
    if (!snapshot.children[from]) return snapshot;
    hear(snapshot, from, findings, scope);
    if (retracted) retract(snapshot, from, retracted, scope);
    return snapshot;
  };

  const taskOf = ({ input, before }: GatherSnapshot, child: ChildSpec): Task => {
    const path = childPath(input.task.path, child.name);
    return childTask(input, child, {
      before,
      now: clock.now(),
      budget: host.budget.grantOf(path),
      learned: host.learned?.(path),
    });
  };
  const spawn = (snapshot: GatherSnapshot, child: ChildSpec, scope: Scope): void => {
    const { name, role } = child;
    const { input } = snapshot;
    try {
      const task = taskOf(snapshot, child);
      const { path, tier, question, charter, grant } = task;
      const earlier = host.recall?.endOf(task);
      if (earlier && 'outcome' in earlier) {
        tellOurselves(scope, { type: 'gather.reused', name, outcome: earlier.outcome });
        return;
      }
      if (earlier) {
        const event = { type: 'node.invalidated' as const, path, why: earlier.invalidated };
        host.recall?.forget(event);
        emit(event);
      }
      const prior = task.prior.map((report) => ({ path: report.path, digest: report.digest }));
      const identity = host.identify?.(task);
      emit({ type: 'node.started', path, tier, depth: depthOf(path), question, charter, grant, prior, ...identity });
      const fault = role === 'leaf' ? host.budget.takeLeaf(input.task.path, path) : undefined;
      if (fault) throw errorOf(fault);
      const traceparent = host.traceparentOf?.(path);
      if (traceparent !== undefined) task.traceparent = traceparent;
      const guest = task.tier === 'root' ? undefined : host.guestFor?.(child, task);
      const parent = scope.self as AnyActorRef;
      const actor = createActor(guest ? guestActor(host, guest) : options.logicFor(child, task), {
        id: name,
        parent,
        src: role,
        input: role === 'leaf' || guest ? { task, deadline: grant.deadline } : task,
      });
      snapshot.children[name] = actor;
      actor.start();
    } catch (error) {
      tellOurselves(scope, { type: 'gather.unmade', name, error });
    }
  };

  const step = (snapshot: GatherSnapshot, event: AnyEventObject, scope: Scope): GatherSnapshot => {
    const { type } = event;
    if (OURS_ALONE.has(type) && !ours.has(event)) return snapshot;
    if (type.startsWith('xstate.done.actor.') || type.startsWith('xstate.error.actor.')) {
      return childSaidToHaveEnded(snapshot, event['actorId'], scope);
    }
    switch (type) {
      case 'espalier.up':
        return heardLive(snapshot, event as Upward, scope);
      case 'gather.unmade': // a child that could not even be created
        return childCrashed(snapshot, String(event['name']), event['error'], scope, 0);
      case 'gather.reused':
        return reuse(snapshot, String(event['name']), event['outcome'] as Outcome, scope);
      case 'gather.flush':
        flushNow(snapshot, scope);
        return snapshot;
      case 'gather.handoff': {
        // Leaves have no timer of their own and are told now; orchestrators close themselves.
        const wait = snapshot.input.deadline - clock.now();
        snapshot.timer = clock.setTimeout(() => tellOurselves(scope, { type: 'gather.expired' }), wait);
        for (const { name, role } of snapshot.input.children) {
          const child = snapshot.children[name];
          if (child && role === 'leaf') tell(scope, child, { type: 'tier.deadline' });
        }
        return snapshot;
      }
      case 'gather.expired':
        return apply(snapshot, { type: 'expired', at: clock.now() }, scope);
      case 'gather.cancel':
        joinStep(snapshot.join, { type: 'cancelling' });
        // Children of ours conclude in this turn, with what they have; whoever has not by then is cut off.
        for (const { name, role } of snapshot.input.children) {
          const child = snapshot.children[name];
          if (child) tell(scope, child, { type: role === 'leaf' ? 'leaf.cancel' : 'cancel' });
        }
        tellOurselves(scope, { type: 'gather.cutoff' });
        return snapshot;
      case 'gather.cutoff':
        return apply(snapshot, { type: 'cancelled', at: clock.now() }, scope);
      case STOP:
        endEach(snapshot);
        release(snapshot, scope);
        return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
      default:
        return snapshot;
    }
  };

  return {
    getInitialSnapshot(_, input) {
      const { task } = input;
      const heard = new Map<string, Said>();
      const children = Object.create(null) as Record<string, AnyActorRef>;
      const mayChildren = depthIsSpent(task.grant) ? [] : input.children;
      const [join, effects] = openJoin({
        runId: task.runId,
        path: task.path,
        children: mayChildren.map((child) => ({ name: child.name, tier: tierOf(task, child) })),
        quorum: input.quorum,
        required: input.required,
        startedAt: clock.now(),
        heard(name) {
          const said = heard.get(name)?.values() ?? [];
          const child = children[name];
          const live = child ? [...said, ...unsent(child)] : said; // it is cut off
          const earlier = host.recall?.criticalsUnder(childPath(task.path, name)) ?? [];
          return earlier.length === 0 ? live : byId([...earlier, ...live]);
        },
        spent: (name) => host.budget.spentAt(childPath(task.path, name)),
      });
      if (mayChildren.length < input.children.length) {
        const message = `a gather at ${task.path} was to spawn ${input.children.length} nodes with no depth left`;
        emit({ type: 'integrity.alert', path: task.path, kind: 'depth', message });
      }
      const empty = effects.find((effect) => effect.type === 'close');
      const rest = {
        input,
        join,
        before: new Map(input.before.map(({ name, outcome }) => [name, outcome])),
        children,
        heard,
        outbox: [],
        timer: undefined,
        flush: undefined,
      };
      if (empty) return { ...rest, status: 'done', output: empty.joined, error: undefined };
      return { ...rest, status: 'active', output: undefined, error: undefined };
    },
    /** For inspectors: an interrupted run goes on from its record, not from its actors. */
    getPersistedSnapshot: ({ status, output, error, input }) => persisted({ status, output, error, input }),
    start(snapshot, scope) {
      if (snapshot.status !== 'active') return;
      const { input, join } = snapshot;
      const now = clock.now();
      const handOff = childGrant(input.task.grant, { name: '', role: 'leaf' }, input.deadline, now).deadline;
      snapshot.timer = clock.setTimeout(() => tellOurselves(scope, { type: 'gather.handoff' }), handOff - now);
      host.budget.allot(input.task.path, input.children, input.later ?? NO_CLAIM);
      for (const child of input.children) if (!join.ended.has(child.name)) spawn(snapshot, child, scope);
    },
    transition(snapshot, event, scope) {
      if (snapshot.status !== 'active') return snapshot;
      try {
        return step(snapshot, event, scope);
      } catch (error) {
        release(snapshot, scope);
        return { ...snapshot, status: 'error', output: undefined, error };
      }
    },
  };
}

/** Events that would harm a child's siblings, were they believed of anybody who knows this actor. */
const OURS_ALONE: ReadonlySet<string> = new Set([
  'gather.handoff',
  'gather.expired',
  'gather.unmade',
  'gather.reused',
  'gather.cutoff',
]);
const ours = new WeakSet<AnyEventObject>();
function tellOurselves(scope: Scope, event: AnyEventObject): void {
  ours.add(event);
  tellSelf(scope, event);
}
