/** Whom the slots object tells of what, between the calls of those who hold slots. */
import { expect, it } from 'vitest';
import { slotsObject, type SlotNews } from '../../../src/runtime/restate/slots-object.ts';

const LIMITS = { concurrency: 2, pools: {}, deadlineMs: 60_000 };
const REFUSED = { status: 'error', message: 'slow down', diagnosis: 'rate-limited' } as const;

type Handler<Answer> = (to: object, what: object) => Promise<Answer>;
type Handlers = { exchange: Handler<SlotNews>; tell: Handler<void> };

function opened() {
  const state = new Map<string, unknown>();
  const told: { to: string; news: SlotNews }[] = [];
  const ctx = {
    key: 'run',
    get: (name: string) => Promise.resolve(state.get(name) ?? null),
    set: (name: string, value: unknown) => void state.set(name, JSON.parse(JSON.stringify(value))),
    resolveAwakeable: (to: string, news: SlotNews) => void told.push({ to, news }),
    genericSend: () => ({ invocationId: Promise.resolve('timer') }),
    cancel: () => {},
  };
  const { object: handlers } = slotsObject('slots', 'ledger', {}) as unknown as { object: Handlers };
  const ask = (id: string) => ({ id, estimateMs: 1_000, pools: [] });
  return {
    /** What has been told since it was asked last. */
    told: () => told.splice(0),
    ask: (holder: string, at: number, ids: readonly string[], over: object = {}) =>
      handlers.exchange(ctx, { holder, at, asks: ids.map(ask), news: `news of ${holder}`, limits: LIMITS, ...over }),
    release: (holder: string, at: number, id: string, ended: unknown) =>
      handlers.tell(ctx, { holder, at, releases: [{ id, ended }], limits: LIMITS }),
  };
}

it('tells those who hand slots on when a limit is felt, and a leaf that waits for its own of nothing but that', async () => {
  const { ask, release, told } = opened();
  expect(await ask('stage', 0, ['stage#1'], { handsOn: true })).toMatchObject({
    granted: ['stage#1'],
    mayHandOn: true,
  });
  expect(await ask('other', 0, ['other#1'], { handsOn: true })).toMatchObject({ granted: ['other#1'] });
  expect(await ask('leaf', 10, ['leaf'])).toMatchObject({ granted: [] });
  await release('other', 20, 'other#1', REFUSED);
  expect(told().map(({ to, news }) => [to, news.granted, news.mayHandOn])).toEqual([
    ['news of stage', [], false],
    ['news of other', [], false],
  ]);
  await release('stage', 30, 'stage#1', 'well');
  expect(told().map(({ to, news }) => [to, news.granted])).toEqual([['news of leaf', ['leaf']]]);
});
