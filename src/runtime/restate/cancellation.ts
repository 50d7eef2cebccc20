/**
 * Being asked to conclude, by whoever waits or by an operator. It is an event like any other, and no exception: what
 * was found until then is still delivered.
 */
import { RestatePromise, type Context, type internal } from '@restatedev/restate-sdk';

const ASKED = Symbol('asked to conclude');

export class Cancellation {
  readonly #promise: RestatePromise<typeof ASKED>;
  isAsked = false;

  constructor(ctx: Context) {
    this.#promise = (ctx as internal.ContextInternal).cancellation().map(() => ASKED);
  }

  /** The first of these; `undefined` when it is asked to conclude before. It is told so once. */
  async first<T>(waited: readonly RestatePromise<T>[]): Promise<T | undefined> {
    if (this.isAsked) return RestatePromise.race(waited);
    const first = await RestatePromise.race([this.#promise, ...waited]);
    if (first !== ASKED) return first;
    this.isAsked = true;
    return undefined;
  }
}
