/** What a gather does with its slots between two words from the object that has them. */
import { expect, it } from 'vitest';
import type { Node } from '../../../src/runtime/restate/node.ts';
import { StageSlots, type Waiting } from '../../../src/runtime/restate/stage-slots.ts';
import type { SlotAsk, SlotNews, SlotRelease } from '../../../src/runtime/restate/slots-object.ts';

type Message = { at: number; asks?: SlotAsk[]; releases?: SlotRelease[]; leaves?: true };
/** The lease is a quarter of the deadline, and slots are handed on for a quarter of that: 1 s. */
const DEADLINE_MS = 16_000;

/** Slots of a stage, and the object that grants the first so many of what is asked for. */
async function opened(
  leaves: readonly (Partial<Waiting> & { path: string })[],
  { concurrency = 2, leavesOfRun = 99 } = {},
) {
  const told: Message[] = [];
  let granted = 0;
  const answers = ({ asks = [] }: Message): SlotNews => {
    const now = asks.slice(0, concurrency - granted).map(({ id }) => id);
    granted += now.length;
    return { at: 0, granted: now, revoked: [], mayHandOn: true };
  };
  const ctx = {
    awakeable: () => ({ id: 'news', promise: { map: () => ({}) } }),
    genericCall: ({ parameter }: { parameter: Message }) => {
      told.push(parameter);
      return Promise.resolve(answers(parameter));
    },
    genericSend: ({ parameter }: { parameter: Message }) => void told.push(parameter),
  };
  const node = {
    ctx,
    spec: { runId: 'r', limits: { concurrency, pools: {}, deadlineMs: DEADLINE_MS } },
    worker: { names: { slots: 'slots' } },
    kit: { orchestrators: 1, registry: new Map([['root', { leaves: leavesOfRun }]]) },
  };
  const waiting = leaves.map(({ path, estimateMs, pools = [] }) => ({ path, estimateMs, pools }));
  const slots = new StageSlots(node as unknown as Node, 'root 0', waiting, 256);
  const begun = await slots.open(0);
  const slotOf = new Map(begun.map(({ path, slot }) => [path, slot]));
  return {
    slots,
    begun: begun.map(({ path }) => path),
    /** What has been said since it was asked last. */
    told: () => told.splice(0),
    ends(path: string, now: number, ended: 'well' | { status: 'error'; message: string } = 'well') {
      const slot = slotOf.get(path) ?? '';
      const next = slots.release(path, { slot, ended }, now);
      if (next) slotOf.set(next.path, next.slot);
      return next?.path;
    },
    slotOf: (path: string) => slotOf.get(path) ?? '',
  };
}
const four = ['a', 'b', 'c', 'd'].map((path) => ({ path }));
const releasedIn = (messages: readonly Message[]) => messages.flatMap(({ releases = [] }) => releases);

it('hands a slot on to the next leaf without a word, for a while', async () => {
  const { begun, ends, told } = await opened(four);
  expect(begun).toEqual(['a', 'b']);
  told();
  expect(ends('a', 100)).toBe('c');
  expect(ends('b', 999)).toBe('d');
  expect(told()).toEqual([]);
});

it('gives it back after that, to whoever is next in the whole run', async () => {
  const { ends, told, slotOf } = await opened(four);
  told();
  expect(ends('a', 1_000)).toBeUndefined();
  expect(releasedIn(told())).toEqual([{ id: slotOf('a'), ended: 'well' }]);
});

it('says what the time is: leases begin by that', async () => {
  const { ends, told, slots } = await opened(four);
  told();
  ends('a', 1_000);
  slots.close(1_500);
  expect(told().map(({ at }) => at)).toEqual([1_000, 1_500]);
});

it('keeps a slot for company where nobody can be waiting for it, and only there', async () => {
  const all = { concurrency: 4, leavesOfRun: 4 };
  const free = await opened(four, all);
  free.told();
  free.ends('a', 2_000);
  expect(free.told()).toEqual([]);
  expect(free.slots.keepsFor).toBe(500);
  const pooled = await opened(
    four.map((leaf) => ({ ...leaf, pools: ['db'] })),
    all,
  );
  pooled.told();
  pooled.ends('a', 2_000);
  expect(releasedIn(pooled.told())).toHaveLength(1);
});

it('gives back at once what a leaf has failed in, and says so', async () => {
  const { ends, told, slotOf } = await opened(four);
  told();
  const fault = { status: 'error', message: 'it broke' } as const;
  expect(ends('a', 100, fault)).toBeUndefined();
  expect(releasedIn(told())).toEqual([{ id: slotOf('a'), ended: fault }]);
});

it('hands nothing on while a limit is felt, whatever older news say', async () => {
  const { slots, ends } = await opened(four);
  slots.take({ at: 50, granted: [], revoked: [], mayHandOn: false }, 50);
  slots.take({ at: 40, granted: [], revoked: [], mayHandOn: true }, 60);
  expect(ends('a', 100)).toBeUndefined();
  slots.take({ at: 110, granted: [], revoked: [], mayHandOn: true }, 110);
  expect(ends('b', 120)).toBe('c');
});

it('hands on to nobody who is expected to need more than the lease of whom the slot was asked for', async () => {
  const one = { concurrency: 1 };
  const unknownFirst = [{ path: 'unknown' }, { path: 'long', estimateMs: 2_001 }];
  expect((await opened(unknownFirst, one)).ends('unknown', 100)).toBeUndefined();
  const short = [{ path: 'unknown' }, { path: 'short', estimateMs: 2_000 }];
  expect((await opened(short, one)).ends('unknown', 100)).toBe('short');
  const alike = [
    { path: 'long', estimateMs: 9_000 },
    { path: 'no-longer', estimateMs: 8_000 },
  ];
  expect((await opened(alike, one)).ends('long', 100)).toBe('no-longer');
});

it('hands on within a pool alone', async () => {
  const mixed = [{ path: 'a', pools: ['db'] }, { path: 'b' }, { path: 'c', pools: ['db'] }, { path: 'd' }];
  const { begun, ends } = await opened(mixed, { concurrency: 3 });
  expect(begun.toSorted()).toEqual(['a', 'b', 'd']);
  expect(ends('b', 100)).toBeUndefined();
  expect(ends('a', 100)).toBe('c');
});

it('withdraws what it has asked for and needs no more, and gives back what is granted meanwhile', async () => {
  const { slots, ends, told } = await opened(four);
  const asked = told().flatMap(({ asks = [] }) => asks.map(({ id }) => id));
  expect(asked).toHaveLength(4);
  ends('a', 100);
  ends('b', 110);
  expect(slots.take({ at: 120, granted: asked.slice(2), revoked: [], mayHandOn: true }, 120).begin).toEqual([]);
  expect(new Set(releasedIn(told()).map(({ id }) => id))).toEqual(new Set(asked.slice(2)));
});

it('does not hand on what it has lost', async () => {
  const { slots, ends, told, slotOf } = await opened(four);
  expect(slots.take({ at: 50, granted: [], revoked: [slotOf('a')], mayHandOn: true }, 50).revoked).toEqual(['a']);
  told();
  expect(ends('a', 100)).toBeUndefined();
  expect(releasedIn(told()).filter(({ id }) => id === slotOf('a'))).toEqual([]);
});

it('gives back a slot that a leaf had asked for itself, also when its answer comes too late', async () => {
  const { slots, told } = await opened(four);
  told();
  slots.release('a', { slot: 'a', ended: 'well' }, 100);
  slots.release('a', { slot: 'a', ended: 'well' }, 900);
  expect(releasedIn(told()).map(({ id }) => id)).toEqual(['a', 'a']);
  slots.close(1_000);
  expect(told().at(-1)).toMatchObject({ leaves: true, releases: [{ id: 'b' }] });
});
