/** What a gather waits for besides its children: moments, each by a durable sleep of its own. */
import type { Context, RestatePromise } from '@restatedev/restate-sdk';

/**
 * `expired`: the deadline. `hand-off`: whoever has not begun by then never does. `flush`: events have waited long enough.
 * `give-back`: so have slots. `look-round`: the first of very many has kept us waiting. `cut-off`: whoever was asked to
 * conclude has had the time to.
 */
export type Moment = 'expired' | 'hand-off' | 'flush' | 'give-back' | 'look-round' | 'cut-off';

export class Moments {
  readonly #ctx: Context;
  readonly #armed = new Map<Moment, RestatePromise<{ type: Moment }>>();

  constructor(ctx: Context) {
    this.#ctx = ctx;
  }
  get awaited(): RestatePromise<{ type: Moment }>[] {
    return [...this.#armed.values()];
  }
  isArmed(moment: Moment): boolean {
    return this.#armed.has(moment);
  }
  arm(moment: Moment, ms: number): void {
    this.#armed.set(
      moment,
      this.#ctx.sleep(Math.max(0, ms)).map(() => ({ type: moment })),
    );
  }
  /** It has come. */
  passed(moment: Moment): void {
    this.#armed.delete(moment);
  }
}
