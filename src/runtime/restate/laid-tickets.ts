/**
 * Tickets as the slots object lays them down between two calls. There may be thousands, written anew with each call, and
 * most differ from the one before by a number.
 */
import type { SlotAsk } from './slots-object.ts';

export type Ticket = SlotAsk & { holder: string; since?: number };
/** In a row of one holder and the same pools: what its id has beyond the holder's, and, where known, estimate and since. */
type Laid = [id: string, estimateMs: number | null, since?: number];
export type LaidTickets = { holder: string; pools: readonly string[]; row: Laid[] }[];

/** In the same order. */
export function layTickets(tickets: readonly Ticket[]): LaidTickets {
  const laid: LaidTickets = [];
  for (const { id, estimateMs, pools, holder, since } of tickets) {
    let last = laid.at(-1);
    if (last?.holder !== holder || last.pools.join('\n') !== pools.join('\n'))
      laid.push((last = { holder, pools, row: [] }));
    last.row.push([id.slice(holder.length), estimateMs ?? null, ...(since === undefined ? [] : [since])] as Laid);
  }
  return laid;
}
export const takeUpTickets = (laid: LaidTickets): Ticket[] =>
  laid.flatMap(({ holder, pools, row }) =>
    row.map(([id, estimateMs, since]) => ({
      id: `${holder}${id}`,
      estimateMs: estimateMs ?? undefined,
      pools,
      holder,
      ...(since !== undefined && { since }),
    })),
  );
