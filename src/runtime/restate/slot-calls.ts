/** How a node asks the run's slots, and gives them back. */
import type { Fault } from '../../protocol/fault.ts';
import { call, send } from './calls.ts';
import type { Node } from './node.ts';
import type { SlotAsk, SlotNews, SlotRelease } from './slots-object.ts';

const addressOf = ({ worker, spec }: Node) => ({ service: worker.names.slots, key: spec.runId });
const limitsOf = ({ spec: { limits } }: Node) => ({
  concurrency: limits.concurrency,
  pools: limits.pools,
  deadlineMs: limits.deadlineMs,
});

/** `news`: an awakeable that is told when more is granted, or something revoked. */
export type Exchange = {
  holder: string;
  asks?: readonly SlotAsk[];
  releases?: readonly SlotRelease[];
  news?: string;
  /** It hands slots on among its leaves, and is told when it may. */
  handsOn?: true;
  /** Gives back all that this holder has or waits for. */
  leaves?: true;
};
export const exchange = (node: Node, what: Exchange) =>
  call<SlotNews>(
    node.ctx,
    { ...addressOf(node), method: 'exchange' },
    { ...what, limits: limitsOf(node), at: node.outbox.latest },
  );
export const tellSlots = (node: Node, what: Exchange): void =>
  void send(
    node.ctx,
    { ...addressOf(node), method: 'tell' },
    { ...what, limits: limitsOf(node), at: node.outbox.latest },
  );

export const giveBack = (node: Node, holder: string, id: string, ended: 'well' | Fault | undefined): void =>
  tellSlots(node, { holder, releases: [{ id, ...(ended !== undefined && { ended }) }], leaves: true });

/** For one node alone. `withinMs`: how long it can wait. */
export async function askForSlot(
  node: Node,
  ask: SlotAsk,
  withinMs: number,
): Promise<'granted' | 'too late' | 'cancelled'> {
  const { ctx, cancellation } = node;
  const holder = ask.id;
  const { id, promise } = ctx.awakeable<SlotNews>();
  const { granted } = await exchange(node, { holder, asks: [ask], news: id });
  if (granted.length > 0) return 'granted';
  const tooLate = ctx.sleep(Math.max(0, withinMs)).map(() => 'too late' as const);
  const answer = await cancellation.first([
    promise.map((news) => (news?.granted.length ? 'granted' : 'too late')),
    tooLate,
  ]);
  if (answer === 'granted') return answer;
  tellSlots(node, { holder, leaves: true });
  return answer ?? 'cancelled';
}
