/** How a node asks the run's slots, and gives them back. */
import type { RestatePromise } from '@restatedev/restate-sdk';
import { call, send } from './calls.ts';
import type { Node } from './node.ts';
import type { SlotAsk, SlotNews, SlotRelease } from './slots-object.ts';

const addressOf = ({ worker, spec }: Node) => ({ service: worker.names.slots, key: spec.runId });
const limitsOf = ({ spec: { limits } }: Node) => ({
  concurrency: limits.concurrency,
  pools: limits.pools,
  deadlineMs: limits.deadlineMs,
});

/** `news`: an awakeable that is told when more is granted, something revoked, or handing on allowed or forbidden. */
export type Exchange = {
  holder: string;
  /** The time, as far as is known. */
  at: number;
  asks?: readonly SlotAsk[];
  releases?: readonly SlotRelease[];
  news?: string;
  /** It hands slots on among its leaves, and is told when it may. */
  handsOn?: true;
  /** Gives back all that this holder has or waits for. */
  leaves?: true;
};
export const exchange = (node: Node, what: Exchange) =>
  call<SlotNews>(node.ctx, { ...addressOf(node), method: 'exchange' }, { ...what, limits: limitsOf(node) });
export const tellSlots = (node: Node, what: Exchange): void =>
  void send(node.ctx, { ...addressOf(node), method: 'tell' }, { ...what, limits: limitsOf(node) });

/** By a leaf, which then has none. */
export const giveBack = (node: Node, by: { holder: string; at: number }, slot: SlotRelease): void =>
  tellSlots(node, { ...by, releases: [slot], leaves: true });

/** `revoked`: resolves when the slot is somebody else's again. */
export type Asked = 'too late' | 'cancelled' | { readonly revoked: RestatePromise<unknown> };

/** For one node alone. `withinMs`: how long it can wait. */
export async function askForSlot(node: Node, ask: SlotAsk, at: number, withinMs: number): Promise<Asked> {
  const { ctx, cancellation } = node;
  const holder = ask.id;
  const first = ctx.awakeable<SlotNews>();
  const { granted } = await exchange(node, { holder, at, asks: [ask], news: first.id });
  if (granted.length > 0) return { revoked: first.promise };
  const tooLate = ctx.sleep(Math.max(0, withinMs)).map(() => 'too late' as const);
  const answer = await cancellation.first([
    first.promise.map((news) => (news?.granted.length ? 'granted' : 'too late')),
    tooLate,
  ]);
  if (answer !== 'granted') {
    tellSlots(node, { holder, at, leaves: true });
    return answer ?? 'cancelled';
  }
  const next = ctx.awakeable<SlotNews>();
  tellSlots(node, { holder, at, news: next.id });
  return { revoked: next.promise };
}
