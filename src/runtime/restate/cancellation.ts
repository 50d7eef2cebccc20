/**
 * Being asked to conclude, by whoever waits or by an operator. It is an event like any other, and no exception: what
 * was found until then is still delivered.
 */
import { RestatePromise, type Context, type internal } from '@restatedev/restate-sdk';

const ASKED = Symbol('asked to conclude');

export class Cancellation {
  readonly #promise: RestatePromise<typeof ASKED>;
  #isEarly = false;
  isAsked = false;

  constructor(ctx: Context) {
    this.#promise = (ctx as internal.ContextInternal).cancellation().map(() => ASKED);
  }

  /** It was asked before it began: whoever waits first is told so. */
  askEarly(): void {
    this.#isEarly = true;
  }
  /** The first of these; `undefined` when it is asked to conclude before. It is told so once. */
  async first<T>(waited: readonly RestatePromise<T>[]): Promise<T | undefined> {
    if (this.isAsked) return RestatePromise.race(waited);
    if (this.#isEarly) {
      this.isAsked = true;
      return undefined;
    }
    const first = await RestatePromise.race([this.#promise, ...waited]);
    if (first !== ASKED) return first;
    this.isAsked = true;
    return undefined;
  }
}
