/** Who may write to a run, in every store. */
import { describe, expect, test } from 'vitest';
import type { StoreOptions } from '../../src/adapters/stores/claims.ts';
import { CLAIM_MS, type Store } from '../../src/ports/store.ts';
import { batch, bytesOf, end, eventsFrom, newRun, node, sha } from './store-samples.ts';

export function claimContract(name: string, open: (options?: StoreOptions) => Store): void {
  describe(`${name}: a claim`, () => {
    const busy = expect.objectContaining({ code: 'run-busy' });
    const lost = expect.objectContaining({ code: 'claim-lost' });

    test('is refused while another is live, and says whose that is', () => {
      let now = 50_000;
      const store = open({ now: () => now });
      store.begin(newRun('a'));
      now += 2_000;
      const words = new RegExp(`^Run a is being worked on by process ${process.pid} on .+ \\(alive 2 s ago\\)\\. Wait`);
      expect(() => store.claim('a')).toThrow(words);
      expect(() => store.claim('a')).toThrow(busy);
      expect(store.run('a')?.claim).toMatchObject({ pid: process.pid, renewedAt: 50_000, isLive: true });
    });

    test('is given back, and what was given back writes no more', () => {
      const store = open();
      const first = store.begin(newRun('a'));
      first.write(batch({ events: eventsFrom(0, 1) }));
      first.release();
      first.release();
      expect(store.run('a')?.claim).toBeUndefined();
      expect(() => first.write(batch({ events: eventsFrom(1, 1) }))).toThrow(lost);
      store.claim('a').write(batch({ events: eventsFrom(1, 1) }));
      expect([...store.events('a')]).toEqual(eventsFrom(0, 2));
    });

    test('lapses when it is not renewed; who comes back finds it lost and writes nothing', () => {
      let now = 50_000;
      const store = open({ now: () => now });
      const first = store.begin(newRun('a'));
      now += CLAIM_MS;
      first.renew();
      now += CLAIM_MS;
      expect(() => store.claim('a')).toThrow(busy);
      now += 1;
      expect(store.run('a')?.claim?.isLive).toBe(false);
      const second = store.claim('a');
      const late = batch({ events: eventsFrom(0, 1), nodes: [node('root', 0)], end: end() });
      expect(() => first.write(late)).toThrow(lost);
      expect(() => first.write(batch({}))).toThrow(lost);
      expect(() => first.renew()).toThrow(lost);
      expect(() => first.keep(sha(bytesOf('x')), bytesOf('x'))).toThrow(lost);
      first.release();
      expect(() => store.claim('a')).toThrow(busy);
      second.write(batch({ events: eventsFrom(0, 2) }));
      expect([...store.events('a')]).toEqual(eventsFrom(0, 2));
      expect([...store.nodes('a')]).toEqual([]);
      expect(store.run('a')?.state).toBe('running');
    });

    test('that lapsed but was not taken still writes, and lives again', () => {
      let now = 50_000;
      const store = open({ now: () => now });
      const writer = store.begin(newRun('a'));
      now += 10 * CLAIM_MS;
      writer.write(batch({ events: eventsFrom(0, 1) }));
      expect(() => store.claim('a')).toThrow(busy);
    });

    test.each([
      ['is gone', undefined],
      ['is another by now, under the same number', 'later'],
    ])('of a process that %s is free at once', (_, after) => {
      let born: string | undefined = 'then';
      const store = open({ processes: { place: 'here', bornAt: () => born } });
      store.begin(newRun('a'));
      expect(() => store.claim('a')).toThrow(busy);
      born = after;
      store.claim('a').write(batch({ events: eventsFrom(0, 1) }));
    });

    test('of a process that cannot be told from others stands as long as there is one of its number', () => {
      const store = open({ processes: { place: 'here', bornAt: () => '' } });
      store.begin(newRun('a'));
      expect(() => store.claim('a')).toThrow(busy);
    });

    test('of a run that is not there is refused; so is a second run of one id', () => {
      const store = open();
      expect(() => store.claim('a')).toThrow(expect.objectContaining({ code: 'unknown-run' }));
      store.begin(newRun('a'));
      expect(() => store.begin(newRun('a'))).toThrow(expect.objectContaining({ code: 'invalid-input' }));
    });
  });
}
