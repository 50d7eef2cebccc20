/** A step with an effect (plan, synthesize) as an actor that ends by its deadline. Nothing in it throws. */
import type { ActorLogic, AnyEventObject, Snapshot } from 'xstate';
import type { Io } from '../../ports/activities.ts';
import type { Fault } from '../../protocol/fault.ts';
import type { Task } from '../../protocol/task.ts';
import { EXPIRED, SILENT } from '../../tier/attempt.ts';
import { errorOf, faultOf, STOPPED } from '../../tier/fault.ts';
import { isLive, persisted, STOP, tellSelf, type Host } from './host.ts';

type ActivitySnapshot<Input> = Snapshot<unknown> & {
  input: Input;
  controller?: AbortController;
  timer?: unknown;
  budget?: ReturnType<Host['budget']['spendingOf']>;
};

export function activityActor<Input extends { deadline: number; task: Pick<Task, 'path'> }>(
  { clock, budget }: Host,
  perform: (input: Input, io: Io) => Promise<unknown>,
): ActorLogic<ActivitySnapshot<Input>, AnyEventObject, Input> {
  const release = (snapshot: ActivitySnapshot<Input>, fault?: Fault): void => {
    clock.clearTimeout(snapshot.timer);
    snapshot.budget?.end();
    if (fault) snapshot.controller?.abort(errorOf(fault));
  };
  return {
    getInitialSnapshot: (_, input) => ({ status: 'active', output: undefined, error: undefined, input }),
    getPersistedSnapshot: ({ status, output, error, input }) => persisted({ status, output, error, input }),
    start(snapshot, scope) {
      if (snapshot.status !== 'active') return;
      const { signal } = (snapshot.controller = new AbortController());
      snapshot.timer = clock.setTimeout(
        () => tellSelf(scope, { type: 'activity.expired' }),
        snapshot.input.deadline - clock.now(),
      );
      const spending = (snapshot.budget = budget.spendingOf(snapshot.input.task.path));
      (async () => perform(snapshot.input, { abortSignal: signal, budget: spending }))().then(
        (output) => isLive(scope) && tellSelf(scope, { type: 'activity.done', output }),
        (error: unknown) => isLive(scope) && tellSelf(scope, { type: 'activity.failed', fault: faultOf(error) }),
      );
    },
    transition(snapshot, event) {
      if (snapshot.status !== 'active') return snapshot;
      const failed = (fault: Fault): ActivitySnapshot<Input> => {
        release(snapshot, fault);
        return { ...snapshot, status: 'error', output: undefined, error: errorOf(fault) };
      };
      switch (event.type) {
        case 'activity.done': {
          const output = event['output'] as unknown;
          if (output === undefined || output === null) return failed(SILENT);
          release(snapshot);
          return { ...snapshot, status: 'done', output, error: undefined };
        }
        case 'activity.failed':
          return failed(event['fault'] as Fault);
        case 'activity.expired':
          return failed(EXPIRED);
        case STOP:
          release(snapshot, STOPPED);
          return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
        default:
          return snapshot;
      }
    },
  };
}
