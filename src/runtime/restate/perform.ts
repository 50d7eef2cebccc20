/**
 * Performs a step with an effect as a durable one, slice by slice: whatever a slice says is in the journal before
 * anything follows from it, and is not said again when the invocation is replayed.
 *  1. Our own machine tries again, and not the server: a failure is data.
 *  2. What work had spent that its worker's death ended is spent, as far as its last slice told.
 *  3. A step that fails for want of budget is performed once more when there is more to be had.
 *  4. What is over soon, and has nothing after it but the invocation's own answer, is in the journal with that answer
 *     alone: an entry of its own would cost a short leaf about a sixth more.
 */
import type { internal, RestatePromise } from '@restatedev/restate-sdk';
import { CANCELLED } from '../../tier/fault.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import type { Node, SliceWord } from './node.ts';
import { isLimited, moreFor, settle, wantedIn, type Purse } from './purse.ts';
import { FLUSH_MS } from './outbox.ts';
import type { Job, Said, Slice } from './work.ts';

const ONCE = { maxRetryAttempts: 1 } as const;
/** A longer one would keep a suspended orchestrator from hearing that it is to conclude. */
const [FIRST_MS, LONGEST_MS] = [500, 15_000];
const MOST_TIMES_MORE = 8;
const CUT_SHORT = Symbol('cut short');

export type Step = {
  name: string;
  purse: Purse;
  job: Omit<Job<SliceWord>, 'budget'>;
  /** Told when the work began, after its first slice. */
  begun?: (at: number) => void;
  /** Told what a slice said, before the next one. Answers whether the work is to go on. */
  hear: (said: readonly Said<SliceWord>[], isLast: boolean) => boolean;
  /** Whether the answer may be all that follows. */
  mayBeAll?: boolean;
  /** Cuts it short. */
  until?: RestatePromise<unknown> | undefined;
};
/** `write`: what came of it is not in the journal yet. To be called before anything follows but the answer. */
export type Performed = Pick<Slice<unknown>, 'at' | 'end'> & { isCutShort?: true; write?: () => Promise<unknown> };

export async function perform(node: Node, step: Step): Promise<Performed> {
  const { name, purse, hear } = step;
  const { path } = step.job;
  for (let times = 0; ; times++) {
    const refusals: Said<SliceWord>[] = [];
    const again = times === 0 ? step : { ...step, name: `${name}, with more ${times}`, begun: () => {} };
    const done = await performOnce(node, {
      ...again,
      hear(said, isLast) {
        // Whether they stand is known when more has been asked for.
        refusals.push(...said.filter(isRefusal));
        return hear(
          said.filter((one) => !isRefusal(one)),
          isLast,
        );
      },
    });
    const isShort = done.end !== undefined && 'fault' in done.end && done.end.fault.status === 'budget';
    if (isShort && isLimited(node) && times < MOST_TIMES_MORE) {
      const wanted = wantedIn(refusals.flatMap(({ told }) => (told.type === 'event' ? told.event : [])));
      const spent = purse.takeUnbooked();
      if (spent) settle(node, { path, spent, isOver: false });
      const left = wanted && (await moreFor(node, path, wanted));
      if (left) {
        purse.left = left;
        continue;
      }
    }
    if (refusals.length > 0) hear(refusals, true);
    return done;
  }
}

const isRefusal = ({ told }: Said<SliceWord>): boolean => told.type === 'event' && isRefused(told.event);
const isRefused = ({ type }: RunEventBody): boolean => type === 'budget.refused';

async function performOnce(node: Node, step: Step): Promise<Performed> {
  const { name, purse, job, hear, begun } = step;
  const { ctx, cancellation } = node;
  const { workshop } = node.worker;
  const id = `${ctx.request().id} ${name}`;
  let last: Slice<SliceWord> | undefined;
  /** Work that began anew is other work, and counts from nothing: what was spent by then is spent. */
  const see = (slice: Slice<SliceWord>): void => {
    if (last && last.since !== slice.since) purse.own(last);
    last = slice;
    const beyond = purse.takeBeyond(slice.beyond);
    if (beyond && isLimited(node)) settle(node, { path: job.path, beyond, isOver: false });
  };
  const over = (slice: Slice<SliceWord>): Performed => {
    workshop.forget(id);
    purse.own(slice);
    return slice;
  };
  const sliceOf = (number: number, ms: number): Promise<Slice<SliceWord>> =>
    workshop.slice(id, { ...job, budget: purse.leftAfter(last?.spent) }, number, ms);
  const close = async (number: number): Promise<Performed> => {
    for (let last = number; ; last++) {
      const slice = await ctx.run(`${name}, closing`, () => workshop.close(id, last, CANCELLED), ONCE);
      see(slice);
      hear(slice.told, false);
      if (slice.end) return over(slice);
    }
  };
  /** Hears what the slice says. Gives the end of the step, unless it goes on. */
  const heard = (slice: Slice<SliceWord>, number: number): Performed | Promise<Performed> | undefined => {
    see(slice);
    if (number === 1) begun?.(slice.since);
    const goesOn = hear(slice.told, slice.end !== undefined);
    if (slice.end) return over(slice);
    return goesOn ? undefined : close(number + 1);
  };
  const first = (): Promise<Slice<SliceWord>> => sliceOf(1, FLUSH_MS);
  if (step.mayBeAll) {
    // Written after it is heard or before, the entry is the same, and is awaited alone: so a replay cannot tell.
    if ((ctx as internal.ContextInternal).isProcessing()) {
      const slice = await first();
      // What does not fit is told at once, and nothing may be told of what is not written.
      if (slice.end && 'value' in slice.end && !slice.beyond) {
        await heard(slice, 1);
        return { ...slice, write: () => ctx.run(`${name}, 1`, () => slice, ONCE) };
      }
    }
    const end = await heard(await ctx.run(`${name}, 1`, first, ONCE), 1);
    if (end) return end;
  }
  const cutShort = step.until?.map((): typeof CUT_SHORT => CUT_SHORT);
  let longestMs = FIRST_MS;
  for (let number = step.mayBeAll ? 2 : 1; ; number++) {
    const ms = longestMs;
    const running = ctx.run(`${name}, ${number}`, () => sliceOf(number, ms), ONCE);
    const slice = await cancellation.first<Slice<SliceWord> | typeof CUT_SHORT>([
      running,
      ...(cutShort ? [cutShort] : []),
    ]);
    if (slice === CUT_SHORT) return { ...(await close(number + 1)), isCutShort: true };
    if (!slice) return close(number + 1);
    const end = await heard(slice, number);
    if (end) return end;
    longestMs = Math.min(LONGEST_MS, longestMs * 2);
  }
}
