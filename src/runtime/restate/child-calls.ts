/** The children of one stage as invocations: called, awaited in the order of their calls, cancelled. */
import { RestatePromise, type InvocationPromise } from '@restatedev/restate-sdk';
import type { ChildSpec } from '../../protocol/decision.ts';
import type { Task } from '../../protocol/task.ts';
import { callJson } from './calls.ts';
import type { Node } from './node.ts';
import { MOST_BYTES, tooManyIn } from './piece-size.ts';
import type { NodeAnswer, NodeInput } from './wire.ts';

/** `lost`: the invocation was killed, or its worker refused it for good; or it was not called, and `attempts` is 0. */
export type Arrival =
  | { type: 'answer'; name: string; answer: NodeAnswer | undefined }
  | { type: 'lost'; name: string; message: string; attempts: 0 | 1 };

/** To race more than so many costs more for each end than the rest of it. */
const WIDEST_RACE = 300;
/** Of too many to race, so many are awaited at once. */
const BATCH = 16;
/** So many are raced at once when all that are in flight are looked at. */
const GROUP = 64;

/** In the order of their calls. */
export type Batch = { type: 'batch'; arrivals: readonly Arrival[] };

export class ChildCalls {
  readonly #node: Node;
  readonly #calls = new Map<string, InvocationPromise<NodeAnswer>>();
  /** In the order of their calls. */
  readonly #inFlight = new Map<string, RestatePromise<Arrival>>();

  constructor(node: Node) {
    this.#node = node;
  }

  /** What may arrive next: one of all, or, of too many, those that were called first, together. */
  get awaited(): RestatePromise<Arrival | Batch>[] {
    if (!this.isWide) return [...this.#inFlight.values()];
    const first: RestatePromise<Arrival>[] = [];
    for (const one of this.#inFlight.values()) if (first.push(one) === BATCH) break;
    return [RestatePromise.all(first).map((arrivals = []) => ({ type: 'batch', arrivals }))];
  }
  /** Whether there are too many to race. Whoever waits then looks round from time to time. */
  get isWide(): boolean {
    return this.#inFlight.size > WIDEST_RACE;
  }
  /** Of those in flight the name that was called first. */
  get first(): string | undefined {
    const [first] = this.#inFlight.keys();
    return first;
  }
  /** Tells of all that have arrived by now, whoever was called before them, for as long as `hear` wants to know. */
  async lookRound(hear: (arrival: Arrival) => Promise<boolean>): Promise<void> {
    const all = [...this.#inFlight];
    for (let from = 0; from < all.length; from += GROUP) {
      const group = new Map(all.slice(from, from + GROUP));
      const now = this.#node.ctx.run('now', () => {}); // by the journal: what came before it has arrived
      for (;;) {
        const arrival = await RestatePromise.race([...group.values(), now]);
        if (!arrival) break;
        group.delete(arrival.name);
        if (!(await hear(arrival))) return;
      }
    }
  }
  /** `slot`: of a leaf. */
  call(child: ChildSpec, task: Task, slot?: string): void {
    const { ctx, worker, spec, made, kit } = this.#node;
    const { name, role } = child;
    const traceparent = kit.traceparentOf(task.path);
    const estimateMs = role === 'leaf' ? kit.activities.estimateOf(task.path) : undefined;
    const input: NodeInput = {
      spec,
      task: traceparent === undefined ? task : { ...task, traceparent },
      made,
      ...(slot !== undefined && { slot }),
      ...(estimateMs !== undefined && { estimateMs }),
    };
    const service = role === 'leaf' ? worker.names.leaf : worker.names.orchestrator;
    const to = { service, method: 'run', name: task.path };
    const json = JSON.stringify(input);
    const bytes = tooManyIn(json, MOST_BYTES);
    if (bytes !== undefined) {
      const message = `its task has ${bytes} bytes with the reports that it needs, and ${MOST_BYTES} can travel. Keep what is big as an artifact`;
      this.#inFlight.set(name, RestatePromise.resolve<Arrival>({ type: 'lost', name, message, attempts: 0 }));
      return;
    }
    const calling = callJson<NodeAnswer>(ctx, to, json);
    this.#calls.set(name, calling);
    this.#inFlight.set(
      name,
      calling.map((answer, error): Arrival =>
        error
          ? { type: 'lost', name, message: `its invocation is lost: ${error.message}`, attempts: 1 }
          : { type: 'answer', name, answer },
      ),
    );
  }
  /** Tells whether it was awaited still. */
  arrived(name: string): boolean {
    return this.#inFlight.delete(name);
  }
  /** Asks it to conclude. It is still awaited. */
  async cancel(name: string): Promise<void> {
    const calling = this.#calls.get(name);
    if (calling && this.#inFlight.has(name)) this.#node.ctx.cancel(await calling.invocationId);
  }
  async cancelAll(): Promise<void> {
    for (const name of this.#inFlight.keys()) await this.cancel(name);
  }
  async cutOff(name: string): Promise<void> {
    await this.cancel(name);
    this.#inFlight.delete(name);
  }
}
