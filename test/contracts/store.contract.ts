/**
 * What every store does: `storeContract('mine', { place: () => (options) => myStore(options), lasts: true })` in a test
 * file of its own proves one. `options` stand in for the clock and the processes that claims are judged by. What only
 * one store can get wrong is tested beside it.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { StoreOptions } from '../../src/adapters/stores/claims.ts';
import { CLAIM_MS, type Duration, type HelpfulEnrichment, type Store } from '../../src/ports/store.ts';
import { claimContract } from './store-claims.contract.ts';
import { batch, bytesOf, end, event, eventsFrom, newRun, node, sha } from './store-samples.ts';

export type StoreKind = {
  /** A place for one store; each opening of it is of the same one if `lasts`. */
  place(): (options?: StoreOptions) => Store;
  /** Whether what is kept outlives the store. */
  lasts: boolean;
};

const LONE = '\ud83d and \udc00';

export function storeContract(name: string, kind: StoreKind): void {
  const opened: Store[] = [];
  afterEach(() => opened.splice(0).forEach((store) => store.close()));
  const opener = (): ((options?: StoreOptions) => Store) => {
    const open = kind.place();
    return (options) => {
      const store = open(options);
      opened.push(store);
      return store;
    };
  };
  const open = (options?: StoreOptions): Store => opener()(options);

  describe(`${name}: what was written`, () => {
    test('is read back as it was, in order', () => {
      const store = open();
      const writer = store.begin(newRun('a'));
      const nodes = [node('root', 0, { tier: 'root' }), node('root/macro', 1), node('root/macro/jobs', 2)];
      writer.write(batch({ events: eventsFrom(0, 3), nodes }));
      writer.write(batch({ events: eventsFrom(3, 2) }));
      expect([...store.events('a')]).toEqual(eventsFrom(0, 5));
      expect(store.event('a', 4)).toEqual(event(4));
      expect([...store.nodes('a')]).toEqual(nodes);
      expect(store.node('a', 'root/macro')).toEqual(nodes[1]);
      expect(store.run('a')).toMatchObject({ ...newRun('a'), state: 'running', events: 5, head: 'sum-4' });
    });

    test('of a run without events says so', () => {
      const store = open();
      store.begin(newRun('a'));
      expect(store.run('a')).toMatchObject({ events: 0, head: '' });
      expect([...store.events('a')]).toEqual([]);
    });

    test('of a node replaces what was known of it, and keeps it where it started', () => {
      const store = open();
      const writer = store.begin(newRun('a'));
      writer.write(batch({ events: eventsFrom(0, 3), nodes: [node('root', 0), node('root/a', 1), node('root/b', 2)] }));
      const ended = node('root/a', 1, { state: 'timeout', endedAt: 5_000, seq: { started: 1, ended: 3 } });
      writer.write(batch({ events: eventsFrom(3, 1), nodes: [ended] }));
      expect(store.node('a', 'root/a')).toEqual(ended);
      const again = node('root/a', 4);
      writer.write(batch({ events: eventsFrom(4, 1), nodes: [again] }));
      expect([...store.nodes('a')].map(({ path }) => path)).toEqual(['root', 'root/b', 'root/a']);
      expect(store.node('a', 'root/a')).toEqual(again);
    });

    test('is the end of a run, with its receipt', () => {
      const store = open();
      const writer = store.begin(newRun('a'));
      writer.write(batch({ events: eventsFrom(0, 2), end: end({ state: 'partial' }) }));
      writer.release();
      expect(store.run('a')).toEqual({
        ...newRun('a'),
        state: 'partial',
        events: 2,
        head: 'sum-1',
        endedAt: 9_000,
        receipt: end().receipt,
      });
    });

    test('of any text and size is what was meant', () => {
      const store = open();
      const thesis = `naïve 日本 👩‍🔬 \0 ${LONE}`;
      const writer = store.begin(newRun('a', { thesis, origin: { file: LONE } }));
      const bodies = ['👩‍🔬 日本 \0 end', LONE, `${'x'.repeat(5 * 2 ** 20)}${LONE}`, `${'é'.repeat(5 * 2 ** 20)}!`];
      const events = bodies.map((body, seq) => event(seq, { body, path: 'root/Größe 日本' }));
      const odd = node('root/Größe 日本', 0, { definition: LONE });
      writer.write(batch({ events, nodes: [odd] }));
      const read = [...store.events('a', { path: 'root/Größe 日本' })];
      expect(read.map(({ body }, i) => body === bodies[i])).toEqual([true, true, true, true]);
      expect(store.run('a')).toMatchObject({ thesis, origin: { file: LONE } });
      expect(store.node('a', 'root/Größe 日本')).toEqual(odd);
    });

    test('can be changed by whoever handed it in, or reads it: the store keeps its own', () => {
      const store = open();
      const mine = { events: eventsFrom(0, 1), nodes: [node('root', 0)] };
      store.begin(newRun('a')).write(batch(mine));
      mine.events[0]!.body = mine.nodes[0]!.state = 'failed';
      store.event('a', 0)!.body = 'changed';
      store.node('a', 'root')!.seq.ended = 7;
      expect(store.event('a', 0)).toEqual(event(0));
      expect(store.node('a', 'root')).toEqual(node('root', 0));
    });

    test.skipIf(!kind.lasts)('is all there when the store is opened again', () => {
      const reopen = opener();
      const store = reopen();
      const writer = store.begin(newRun('a'));
      const bytes = bytesOf('kept');
      const duration = { scenario: 's', path: 'root', ms: 1.5, at: 2 };
      writer.write(batch({ events: eventsFrom(0, 2), nodes: [node('root', 0)], durations: [duration], end: end() }));
      writer.keep(sha(bytes), bytes);
      writer.release();
      const before = store.run('a');
      store.close();
      const after = reopen();
      expect(after.run('a')).toEqual(before);
      expect([...after.events('a')]).toEqual(eventsFrom(0, 2));
      expect([...after.nodes('a')]).toEqual([node('root', 0)]);
      expect([...after.durations('s', 1)]).toEqual([duration]);
      expect(after.bytes('a', sha(bytes))).toEqual(bytes);
    });
  });

  describe(`${name}: a batch that cannot be written`, () => {
    test.each([
      ['leaves a hole', [event(2), event(4)]],
      ['comes twice', [event(1), event(2)]],
      ['comes too late', [event(3)]],
      ['repeats itself', [event(2), event(2)]],
    ])('because it %s leaves nothing', (_, events) => {
      const store = open();
      const writer = store.begin(newRun('a'));
      writer.write(batch({ events: eventsFrom(0, 2), nodes: [node('root', 0)] }));
      const durations = [{ scenario: 's', path: 'root', ms: 1, at: 1 }];
      const failing = batch({ events, nodes: [node('root', 0, { state: 'failed' })], durations, end: end() });
      expect(() => writer.write(failing)).toThrow(expect.objectContaining({ code: 'host-fault' }));
      expect(store.run('a')).toMatchObject({ state: 'running', events: 2, head: 'sum-1' });
      expect([...store.events('a')]).toEqual(eventsFrom(0, 2));
      expect(store.node('a', 'root')).toMatchObject({ state: 'running' });
      expect([...store.durations('s', 9)]).toEqual([]);
      writer.write(batch({ events: eventsFrom(2, 1) }));
      expect(store.run('a')).toMatchObject({ events: 3 });
    });

    test('because one of its nodes cannot be kept leaves nothing, not even of its events', () => {
      const store = open();
      const writer = store.begin(newRun('a'));
      const endless = node('root', 0) as any;
      endless.self = endless;
      expect(() => writer.write(batch({ events: eventsFrom(0, 2), nodes: [endless] }))).toThrow('circular');
      expect([...store.events('a')]).toEqual([]);
      expect(store.run('a')).toMatchObject({ events: 0 });
    });
  });

  describe(`${name}: filters`, () => {
    test('of events: from a number on, of one path, of some types', () => {
      const store = open();
      const events = Array.from({ length: 300 }, (_, seq) =>
        event(seq, {
          path: seq % 3 === 0 ? 'root' : 'root/a',
          type: seq % 2 === 0 ? 'attempt.started' : 'attempt.failed',
        }),
      );
      store.begin(newRun('before')).write(batch({ events: eventsFrom(0, 5) }));
      store.begin(newRun('a')).write(batch({ events }));
      store.begin(newRun('after')).write(batch({ events: eventsFrom(0, 5) }));
      const seqs = (filter: Parameters<Store['events']>[1]): number[] =>
        [...store.events('a', filter)].map(({ seq }) => seq);
      expect(seqs({})).toEqual(events.map(({ seq }) => seq));
      expect(seqs({ from: 298 })).toEqual([298, 299]);
      expect(seqs({ from: -(2 ** 32) })).toHaveLength(300);
      expect(seqs({ from: 300 })).toEqual([]);
      expect(seqs({ path: 'root', from: 290 })).toEqual([291, 294, 297]);
      expect(seqs({ types: ['attempt.failed', 'run.completed'], from: 296 })).toEqual([297, 299]);
      expect(seqs({ types: [] })).toEqual([]);
      for (const seq of [-1, 300, 2 ** 32]) expect(store.event('a', seq)).toBeUndefined();
    });

    test('of nodes: the children of one, in the order of their start', () => {
      const store = open();
      const paths = ['root', 'root/b', 'root/a', 'root/a/x', 'root/ab', 'root/ab/x'];
      store.begin(newRun('a')).write(batch({ nodes: paths.map((path, i) => node(path, i)).reverse() }));
      const childrenOf = (parent: string): string[] => [...store.nodes('a', { parent })].map(({ path }) => path);
      expect(childrenOf('root')).toEqual(['root/b', 'root/a', 'root/ab']);
      expect(childrenOf('root/a')).toEqual(['root/a/x']);
      expect(childrenOf('')).toEqual(['root']);
      expect([...store.nodes('a')].map(({ path }) => path)).toEqual(paths);
    });

    test('of runs: by scenario, state and start, the latest first', () => {
      const store = open();
      store.begin(newRun('a', { startedAt: 10 }));
      store.begin(newRun('b', { startedAt: 30, scenario: 'other' })).write(batch({ end: end({ state: 'failed' }) }));
      store.begin(newRun('c', { startedAt: 20 }));
      store.begin(newRun('d', { startedAt: 20 }));
      const ids = (filter?: Parameters<Store['runs']>[0]): string[] => [...store.runs(filter)].map((run) => run.runId);
      expect(ids()).toEqual(['b', 'd', 'c', 'a']);
      expect(ids({ scenario: 'us-tech' })).toEqual(['d', 'c', 'a']);
      expect(ids({ state: 'failed' })).toEqual(['b']);
      expect(ids({ startedAfter: 10, startedBefore: 30 })).toEqual(['d', 'c']);
    });

    test('of many runs started at once miss none and name none twice', () => {
      const store = open();
      for (let i = 0; i < 200; i++) store.begin(newRun(`r${i}`, { startedAt: i % 2 }));
      const ids = [...store.runs()].map(({ runId }) => runId);
      expect(new Set(ids).size).toBe(200);
      expect(ids.slice(0, 2)).toEqual(['r199', 'r197']);
    });
  });

  claimContract(name, open);

  describe(`${name}: what is remembered for later runs`, () => {
    const at = (path: string, at: number): Duration => ({ scenario: 's', path, ms: at / 2, at });

    test('durations: the latest of each path first, not more than asked for', () => {
      const store = open();
      const durations = [at('root/a', 1), at('root/b', 9), at('root/a', 3), at('root/a', 2)];
      store.begin(newRun('a')).write(batch({ durations: [...durations, { ...at('root/a', 5), scenario: 'other' }] }));
      const of = (path: string, most: number): Duration[] =>
        [...store.durations('s', most)].filter((duration) => duration.path === path);
      expect(of('root/a', 2)).toEqual([at('root/a', 3), at('root/a', 2)]);
      expect(of('root/b', 2)).toEqual([at('root/b', 9)]);
      expect([...store.durations('s', 0)]).toEqual([]);
    });

    test('durations: the last fifty of a path', () => {
      const store = open();
      const writer = store.begin(newRun('a'));
      for (let i = 0; i < 70; i++) writer.write(batch({ durations: [at('root/a', i)] }));
      expect([...store.durations('s', 1000)].map((duration) => duration.at)).toEqual(
        Array.from({ length: 50 }, (_, i) => 69 - i),
      );
    });

    test('helpful enrichments: of a whole scenario, the latest first', () => {
      const store = open();
      const helped = (at: number, path: string, scenario = 's'): HelpfulEnrichment => ({
        scenario,
        path,
        status: 'invalid',
        enrichment: `${path} ${at}`,
        at,
      });
      const all = [helped(1, 'root/a'), helped(3, 'root/b'), helped(2, 'root/a'), helped(4, 'root/a', 'other')];
      store.begin(newRun('a')).write(batch({ enrichments: all }));
      expect([...store.enrichments('s')]).toEqual([helped(3, 'root/b'), helped(2, 'root/a'), helped(1, 'root/a')]);
    });

    test('helpful enrichments: of one path, the latest first', () => {
      const store = open();
      const helped = (at: number, path = 'root/a'): HelpfulEnrichment => ({
        scenario: 's',
        path,
        status: 'invalid',
        enrichment: `${LONE} ${at}`,
        at,
      });
      const enrichments = [helped(1), helped(3), helped(2), helped(9, 'root/b')];
      store.begin(newRun('a')).write(batch({ enrichments }));
      expect([...store.enrichments('s', 'root/a')]).toEqual([helped(3), helped(2), helped(1)]);
    });
  });

  describe(`${name}: artifacts`, () => {
    test('are kept under their SHA-256, for the runs that keep them', () => {
      const store = open();
      const bytes = new Uint8Array(5 * 2 ** 20).fill(7);
      const a = store.begin(newRun('a'));
      const b = store.begin(newRun('b'));
      a.keep(sha(bytes), bytes);
      a.keep(sha(bytes), bytes);
      const isKept = (runId: string): boolean => Buffer.from(store.bytes(runId, sha(bytes)) ?? []).equals(bytes);
      expect([isKept('a'), isKept('b')]).toEqual([true, false]);
      b.keep(sha(bytes), bytes);
      a.release();
      store.remove('a');
      expect([isKept('a'), isKept('b')]).toEqual([false, true]);
    });

    test('are refused under any other', () => {
      const writer = open().begin(newRun('a'));
      expect(() => writer.keep(sha(bytesOf('x')), bytesOf('y'))).toThrow(
        expect.objectContaining({ code: 'invalid-input' }),
      );
    });
  });

  describe(`${name}: removing a run`, () => {
    test('forgets it and nothing else', () => {
      const store = open();
      for (const id of ['a', 'b', 'c']) {
        const writer = store.begin(newRun(id));
        writer.write(batch({ events: eventsFrom(0, 3), nodes: [node('root', 0)] }));
        writer.release();
      }
      store.remove('b');
      expect([...store.runs()].map(({ runId }) => runId)).toEqual(['c', 'a']);
      expect([store.run('b'), store.event('b', 0), store.node('b', 'root')]).toEqual([undefined, undefined, undefined]);
      expect([...store.events('b'), ...store.nodes('b')]).toEqual([]);
      for (const id of ['a', 'c']) expect([...store.events(id)]).toEqual(eventsFrom(0, 3));
      expect(store.problems()).toEqual([]);
      const again = store.begin(newRun('b'));
      again.write(batch({ events: eventsFrom(0, 1) }));
      expect([...store.events('b')]).toEqual(eventsFrom(0, 1));
    });

    test('is refused while somebody writes to it, and when it is not there', () => {
      const store = open();
      const writer = store.begin(newRun('a'));
      expect(() => store.remove('a')).toThrow(expect.objectContaining({ code: 'run-busy' }));
      writer.release();
      store.remove('a');
      expect(() => store.remove('a')).toThrow(expect.objectContaining({ code: 'unknown-run' }));
    });

    test('whose claim lapsed leaves its writer without one', () => {
      let now = 0;
      const store = open({ now: () => now });
      const writer = store.begin(newRun('a'));
      now += 2 * CLAIM_MS;
      store.remove('a');
      store.begin(newRun('b'));
      expect(() => writer.write(batch({ events: eventsFrom(0, 1) }))).toThrow(
        expect.objectContaining({ code: 'claim-lost' }),
      );
      expect(store.run('b')).toMatchObject({ events: 0 });
    });
  });

  describe(`${name}: reading while writing`, () => {
    test('an iterator goes on in order, whatever else is read and written in between', () => {
      const store = open();
      const writer = store.begin(newRun('a'));
      writer.write(batch({ events: eventsFrom(0, 500), nodes: [node('root', 0)] }));
      let next = 500;
      const seen: number[] = [];
      for (const { seq } of store.events('a')) {
        seen.push(seq);
        if (seen.length > 600) break;
        if (next < 700) writer.write(batch({ events: eventsFrom(next++, 1) }));
        expect(store.run('a')?.events).toBe(next);
        const [first] = store.events('a', { from: next - 1 });
        expect(first?.seq).toBe(next - 1);
      }
      expect(seen.slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, i) => i));
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    });

    test('an iterator that is left, or never begun, is in nobody’s way', () => {
      const store = open();
      const writer = store.begin(newRun('a'));
      writer.write(batch({ events: eventsFrom(0, 200) }));
      const left = [store.events('a')[Symbol.iterator](), store.runs()[Symbol.iterator]()];
      left.forEach((iterator) => iterator.next());
      store.events('a');
      writer.write(batch({ events: eventsFrom(200, 1) }));
      writer.release();
      store.remove('a');
      expect([...store.events('a')]).toEqual([]);
    });
  });
}
