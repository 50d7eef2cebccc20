/** Hands a run's events on to a caller, who asks again and again. Nobody polls: it waits until there is something. */
import { RestatePromise, type Context } from '@restatedev/restate-sdk';
import { call, send } from './calls.ts';
import type { Page } from './ledger.ts';

export type FeedInput = { runId: string; cursor: number };
/** Shorter than what proxies allow. */
const LONGEST_MS = 15_000;

export const feedFrom =
  (ledger: string) =>
  async (ctx: Context, { runId, cursor }: FeedInput): Promise<Page> => {
    const { id, promise } = ctx.awakeable<Page>();
    const to = { service: ledger, key: runId };
    const page = await call<Page>(ctx, { ...to, method: 'next' }, { cursor, awakeable: id });
    if (page.cursor !== cursor || page.isOver) return page;
    const nothing: Page = { events: [], cursor, isOver: false };
    const next = await RestatePromise.race([promise, ctx.sleep(LONGEST_MS).map(() => nothing)]);
    if (next === nothing) send(ctx, { ...to, method: 'leave' }, id);
    return next;
  };
