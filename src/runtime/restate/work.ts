/**
 * An author's work, going on in this process while the journal takes note of it slice by slice.
 *  1. A slice ends with the work, at once when something critical is said, and soon when anything is.
 *  2. Asked for the same slice again, because the server did not get it, it gives the same.
 *  3. At the deadline it is over, whatever the author's code does. Work that nobody asks for any more is aborted.
 *  4. A slice holds no more than can travel. What is left is in the next one, and the end in the last.
 */
import { EspalierError } from '../../errors.ts';
import type { Io } from '../../ports/activities.ts';
import type { Budget } from '../../protocol/grant.ts';
import type { FailureStatus } from '../../protocol/failure-status.ts';
import type { Fault } from '../../protocol/fault.ts';
import { EXPIRED } from '../../tier/attempt.ts';
import { errorOf, faultOf } from '../../tier/fault.ts';
import type { Spent } from '../../tier/usage.ts';
import { createRunBudget, type Overrun } from '../run-budget.ts';
import { FLUSH_MS } from './outbox.ts';
import { MOST_RESULT_BYTES, tooManyIn } from './piece-size.ts';

export type Said<Told> = { readonly at: number; readonly told: Told };
/** `bytes`: about as many as it has. */
type Kept<Told> = { readonly said: Said<Told>; readonly bytes: number };
type End = { value: unknown } | { fault: Fault } | { isExpired: true } | { isAborted: true };
/** `since`: when the work began, in the process that gives the slice. */
export type Slice<Told> = { at: number; since: number; told: Said<Told>[]; end?: End; spent?: Spent; beyond?: Overrun };

/** What the work is given: its signal, its budget, and a way to tell of what happens. */
export type Means<Told> = Io & {
  readonly tell: (told: Told, isUrgent: boolean) => void;
  /** Called when the work is over, as long as it may still tell something. */
  readonly atEnd: (work: (status: FailureStatus) => void) => void;
};
export type Job<Told> = {
  path: string;
  deadline: number;
  budget: Budget;
  start: (means: Means<Told>) => Promise<unknown>;
};

const OVER: Fault = { status: 'cancelled', message: 'the attempt is over' };
/** How long work waits to be asked for its next slice: a server that is restarted comes back by then. */
const ABANDONED_MS = 60_000;

class Work<Told> {
  readonly #spending: ReturnType<ReturnType<typeof createRunBudget>['spendingOf']>;
  readonly #budget: ReturnType<typeof createRunBudget>;
  readonly #path: string;
  readonly #deadline: number;
  readonly #abandon: () => void;
  readonly #since = Date.now();
  #told: Kept<Told>[] = [];
  #end: End | undefined;
  /** Made on first use: most work never asks for its signal. */
  #controller: AbortController | undefined;
  #over: Fault | undefined;
  #atEnd: ((status: FailureStatus) => void) | undefined;
  #timer: NodeJS.Timeout;
  #isUrgent = false;
  /** More was said than the last slice could hold. */
  #isFull = false;
  #wake: (() => void) | undefined;
  #soon: NodeJS.Timeout | undefined;
  #given: { number: number; slice: Promise<Slice<Told>> } | undefined;
  #abandoned: NodeJS.Timeout | undefined;

  constructor({ path, deadline, budget, start }: Job<Told>, toEvent: (alert: Alert) => Told, abandon: () => void) {
    const own = createRunBudget(budget, (event) => this.#tell(toEvent(event), false), { top: path });
    this.#spending = own.spendingOf(path);
    this.#budget = own;
    this.#path = path;
    this.#deadline = deadline;
    this.#abandon = abandon;
    this.#timer = setTimeout(() => this.#ended({ isExpired: true }, EXPIRED), Math.max(0, deadline - Date.now()));
    const signal = (): AbortSignal => this.#signal();
    const means: Means<Told> = {
      get abortSignal() {
        return signal();
      },
      budget: this.#spending,
      tell: (told, isUrgent) => this.#tell(told, isUrgent),
      atEnd: (work) => void (this.#atEnd = work),
    };
    (async () => start(means))().then(
      (value) => this.#ended(plain(value), OVER),
      (error: unknown) => this.#ended({ fault: faultOf(error) }, OVER),
    );
  }

  slice(number: number, longestMs: number): Promise<Slice<Told>> {
    clearTimeout(this.#abandoned);
    if (this.#given?.number !== number) this.#given = { number, slice: this.#next(longestMs) };
    return this.#given.slice;
  }
  abort(fault: Fault): void {
    this.#ended({ isAborted: true }, fault);
  }
  /** Nobody will ask again. */
  forget(): void {
    clearTimeout(this.#abandoned);
  }

  async #next(longestMs: number): Promise<Slice<Told>> {
    let longest: NodeJS.Timeout | undefined;
    if (!this.#end && !this.#isUrgent && !this.#isFull) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      longest = setTimeout(resolve, longestMs);
      if (this.#told.length > 0) this.#wakeSoon();
      await promise;
    }
    clearTimeout(longest);
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#wake = undefined;
    this.#isUrgent = false;
    this.#abandoned = setTimeout(() => {
      this.abort({ status: 'cancelled', message: 'nobody waits for it here any more' });
      this.#abandon();
    }, ABANDONED_MS).unref();
    const spent = this.#budget.spentAt(this.#path);
    const beyond = this.#budget.overdrawn();
    const told = this.#taken();
    const end = this.#told.length === 0 ? this.#end : undefined;
    // A timer may be early by a part of a millisecond, and whoever waits compares.
    const isExpired = end !== undefined && 'isExpired' in end;
    return {
      at: isExpired ? Math.max(Date.now(), this.#deadline) : Date.now(),
      since: this.#since,
      told,
      ...(end && { end }),
      ...(spent && { spent: moneyOf(spent) }),
      ...(beyond && { beyond }),
    };
  }
  /** As much of what was said as can travel in one slice; more than nothing. */
  #taken(): Said<Told>[] {
    let bytes = 0;
    const most = this.#told.findIndex((one, i) => (bytes += one.bytes) > MOST_RESULT_BYTES && i > 0);
    this.#isFull = most > 0;
    return this.#told.splice(0, most > 0 ? most : Infinity).map(({ said }) => said);
  }
  /** @throws EspalierError `invalid-data` on more than can travel */
  #tell(told: Told, isUrgent: boolean): void {
    if (this.#end) return;
    const json = JSON.stringify(told);
    const bytes = tooManyIn(json, MOST_RESULT_BYTES);
    if (bytes !== undefined) throw tooBig('What was reported', bytes);
    this.#told.push({ said: { at: Date.now(), told }, bytes: json.length });
    this.#isUrgent ||= isUrgent;
    if (isUrgent) this.#wake?.();
    else this.#wakeSoon();
  }
  #wakeSoon(): void {
    this.#soon ??= setTimeout(() => this.#wake?.(), FLUSH_MS);
  }
  /** `fault`: what its signal says to whoever still listens. */
  #ended(end: End, fault: Fault): void {
    if (this.#end) return;
    this.#atEnd?.('isExpired' in end ? 'timeout' : 'cancelled');
    this.#end = end;
    clearTimeout(this.#timer);
    this.#spending.end();
    this.#wake?.();
    this.#over = fault;
    this.#controller?.abort(errorOf(fault));
  }
  #signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#over) this.#controller.abort(errorOf(this.#over)); // asked for too late
    }
    return this.#controller.signal;
  }
}

export type Alert = Parameters<Parameters<typeof createRunBudget>[1]>[0];

/** Work in progress, by invocation and name. */
export class Workshop<Told> {
  readonly #works = new Map<string, Work<Told>>();
  readonly #toEvent: (alert: Alert) => Told;

  constructor(toEvent: (alert: Alert) => Told) {
    this.#toEvent = toEvent;
  }
  /** Begins the work unless it goes on here already. */
  slice(id: string, job: Job<Told>, number: number, longestMs: number): Promise<Slice<Told>> {
    let work = this.#works.get(id);
    if (!work) {
      work = new Work(job, this.#toEvent, () => this.#works.delete(id));
      this.#works.set(id, work);
    }
    return work.slice(number, longestMs);
  }
  /** Ends the work, and gives what it had still to tell. */
  async close(id: string, number: number, fault: Fault): Promise<Slice<Told>> {
    const work = this.#works.get(id);
    if (!work) return { at: Date.now(), since: Date.now(), told: [], end: { isAborted: true } };
    work.abort(fault);
    return work.slice(number, 0);
  }
  forget(id: string): void {
    this.#works.get(id)?.forget();
    this.#works.delete(id);
  }
}

const moneyOf = ({ self, subtree }: Spent): Spent => ({ self, subtree });

/** As it arrives elsewhere: JSON, or why it cannot be. */
function plain(value: unknown): End {
  if (value === undefined || value === null) return { value: null };
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    const message = `the result is not a finding: it cannot be read: ${faultOf(error).message}`;
    return { fault: { status: 'invalid', message, diagnosis: 'invalid-output' } };
  }
  if (json === undefined) return { value: typeof value }; // a function: no result, and said to be none
  const bytes = tooManyIn(json, MOST_RESULT_BYTES);
  if (bytes !== undefined) return { fault: faultOf(tooBig('The result', bytes)) };
  return { value: JSON.parse(json) as unknown };
}

const tooBig = (what: string, bytes: number): EspalierError =>
  new EspalierError(
    'invalid-data',
    `${what} has ${bytes} bytes, and ${MOST_RESULT_BYTES} can travel. Keep what is big as an artifact.`,
  );
