/**
 * Lets a program's hooks have their say around each step.
 *  1. Without a hook nothing is wrapped and nothing waits.
 *  2. A hook that throws, rejects or answers nonsense refuses; one that hangs is ended with its step, by its deadline.
 */
import { parseDuration } from '../define/duration.ts';
import type { Activities, AttemptIo, Io } from '../ports/activities.ts';
import type { Clock } from '../ports/clock.ts';
import type { HookAnswer, Hooks } from '../ports/hooks.ts';
import { deepFreeze } from '../protocol/freeze.ts';
import type { Task } from '../protocol/task.ts';
import { errorOf, faultOf } from '../tier/fault.ts';
import { incomingOf } from '../tier/synthesis-check.ts';

const IDLE_MS = 60_000;

export function withHooks(own: Activities, hooks: Hooks | undefined, clock: Clock): Activities {
  const { beforeSpawn, taskCompleted, nodeIdle } = hooks ?? {};
  const steps = { ...own };
  if (beforeSpawn) {
    const asked = (task: Task): Promise<void> => ask('beforeSpawn', () => beforeSpawn(deepFreeze(task)));
    steps.plan = async (input, io) => {
      await asked(input.task);
      return own.plan(input, io);
    };
    steps.attempt = async (input, io) => {
      await asked(input.task);
      return own.attempt(input, io);
    };
  }
  if (nodeIdle) {
    const awake = { ...steps };
    const idleMs = parseDuration(hooks?.idleAfter ?? IDLE_MS, 'idleAfter');
    steps.attempt = (input, io) =>
      whileBusy(
        clock,
        idleMs,
        io,
        (watched) => awake.attempt(input, watched),
        (silentMs) => ask('nodeIdle', () => nodeIdle(deepFreeze(input.task), silentMs)),
      );
  }
  if (taskCompleted) {
    steps.verify = async (input, findings, io) => {
      const verdict = (await own.verify(input, findings, io)) ?? { ok: true };
      if (verdict.ok) await ask('taskCompleted', () => taskCompleted(deepFreeze(input.task), findings));
      return verdict;
    };
    steps.synthesize = async (input, io) => {
      const answer = await own.synthesize(input, io);
      await ask('taskCompleted', () => taskCompleted(deepFreeze(input.task), incomingOf(input.ended)));
      return answer;
    };
  }
  return steps;
}

async function ask(hook: keyof Hooks, call: () => HookAnswer | Promise<HookAnswer>): Promise<void> {
  let answer: unknown;
  try {
    answer = await call();
  } catch (error) {
    throw refused(hook, faultOf(error).message);
  }
  if (answer === undefined || answer === null) return;
  const why = typeof answer === 'object' && 'refuse' in answer ? answer.refuse : undefined;
  throw refused(hook, typeof why === 'string' && why !== '' ? why : 'it gave no reason');
}

const refused = (hook: keyof Hooks, why: string): Error =>
  errorOf({
    status: 'refused',
    message: `${hook} refused: ${why}`,
    ...(hook === 'taskCompleted' && { diagnosis: 'failed-check' }),
  });

/** Performs an attempt, and asks each time it has said nothing for `idleMs`. A refusal ends it. */
async function whileBusy(
  clock: Clock,
  idleMs: number,
  io: AttemptIo,
  work: (io: AttemptIo) => Promise<unknown>,
  isIdle: (silentMs: number) => Promise<void>,
): Promise<unknown> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  let saidAt = clock.now();
  let timer: unknown;
  const wait = (): void => {
    timer = clock.setTimeout(() => void look(), saidAt + idleMs - clock.now());
  };
  const look = async (): Promise<void> => {
    const silentMs = clock.now() - saidAt;
    if (silentMs >= idleMs) {
      await isIdle(silentMs).catch(reject);
      saidAt = clock.now();
    }
    if (isOpen) wait();
  };
  let isOpen = true;
  const close = (): void => {
    isOpen = false;
    clock.clearTimeout(timer);
  };
  io.abortSignal.addEventListener('abort', close, { once: true });
  wait();
  try {
    return await Promise.race([work(watching(io, () => (saidAt = clock.now()))), ended]);
  } finally {
    close();
  }
}

/** The same means, with an eye on what is reported. */
const watching = (io: AttemptIo, noted: () => void): AttemptIo => ({
  get abortSignal(): Io['abortSignal'] {
    return io.abortSignal;
  },
  get budget(): Io['budget'] {
    return io.budget;
  },
  report(draft) {
    noted();
    io.report(draft);
  },
  kept: (artifact) => io.kept(artifact),
  depend: (read) => io.depend(read),
  reading: (source, isDeclared) => io.reading(source, isDeclared),
  calling: (tool) => io.calling(tool),
  alert: (kind, message) => io.alert(kind, message),
});
