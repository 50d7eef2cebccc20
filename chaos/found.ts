/** What leaves found while somebody still waited for them: what a result is held against. */
import type { Draft } from './tree.ts';

export type Cell = {
  readonly outcome: string;
  readonly found: number;
  readonly kept: number;
  readonly criticalsFound: number;
  readonly criticalsKept: number;
  /** After the deadline, in ms. */
  readonly lateMs: number;
  /** Actors, timers or work that the run left behind; of ours alone. */
  readonly leftBehind?: number;
};

export class Found {
  readonly #drafts = new Map<string, Draft>();
  #isOver = false;
  #asleep = 0;

  note(path: string, draft: Draft): void {
    if (!this.#isOver) this.#drafts.set(`${path}#${draft.key}`, draft);
  }
  /** How many authors sleep on a timer of their own, whoever still waits for them. */
  get asleep(): number {
    return this.#asleep;
  }
  async deaf(sleep: Promise<void>): Promise<void> {
    this.#asleep++;
    await sleep;
    this.#asleep--;
  }
  close(): void {
    this.#isOver = true;
  }
  /** `kept` and `criticals`: ids that stand in the result. */
  against(kept: ReadonlySet<string>, criticals: ReadonlySet<string>): Omit<Cell, 'outcome' | 'lateMs'> {
    const found = [...this.#drafts.keys()];
    const alarms = found.filter((id) => this.#drafts.get(id)?.critical);
    return {
      found: found.length,
      kept: found.filter((id) => kept.has(id)).length,
      criticalsFound: alarms.length,
      criticalsKept: alarms.filter((id) => criticals.has(id)).length,
    };
  }
}
