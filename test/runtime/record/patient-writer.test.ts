import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import { sqliteStore } from '../../../src/adapters/stores/sqlite-store.ts';
import { EspalierError } from '../../../src/errors.ts';
import type { Batch, RunWriter } from '../../../src/ports/store.ts';
import { patientWriter } from '../../../src/runtime/record/patient-writer.ts';
import { verifyRun } from '../../../src/runtime/record/verify.ts';
import { storeFile } from '../../adapters/stores/store-file.ts';
import { batch, end, eventsFrom, newRun, node } from '../../contracts/store-samples.ts';
import { draft, tree, world } from '../../support/world.ts';

const fault = new EspalierError('store-fault', 'locked');

/** A run in a store that refuses whatever `refuses` says. */
function refusing(refuses: () => EspalierError | undefined) {
  const store = memoryStore();
  const own = store.begin(newRun('a'));
  let tries = 0;
  const writer: RunWriter = {
    ...own,
    write(given: Batch) {
      tries++;
      const error = refuses();
      if (error) throw error;
      own.write(given);
    },
  };
  return { store, writer, tries: () => tries };
}

describe('a batch that a store does not take', () => {
  it('is kept, and written in order with what comes after it', () => {
    let isLocked = true;
    const { store, writer } = refusing(() => (isLocked ? fault : undefined));
    const patient = patientWriter(writer, { now: () => 0, forMs: 1, mostCharacters: 1_000 });
    const ended = node('root', 0, { state: 'complete' });
    patient.write(batch({ events: eventsFrom(0, 2), nodes: [node('root', 0)] }), false);
    patient.write(batch({ events: eventsFrom(2, 1), nodes: [ended] }), false);
    expect(patient.isWaiting).toBe(true);
    isLocked = false;
    patient.write(batch({ events: eventsFrom(3, 1) }), false);
    expect(patient.isWaiting).toBe(false);
    expect([...store.events('a')]).toEqual(eventsFrom(0, 4));
    expect(store.node('a', 'root')).toEqual(ended);
  });

  it('is kept no longer than for its time', () => {
    let now = 5;
    const { writer } = refusing(() => fault);
    const patient = patientWriter(writer, { now: () => now, forMs: 100, mostCharacters: 1_000 });
    patient.write(batch({ events: eventsFrom(0, 1) }), false);
    now += 99;
    patient.write(batch({}), false);
    now += 1;
    expect(() => patient.write(batch({}), false)).toThrow(fault);
  });

  it('is kept up to its size', () => {
    const { writer } = refusing(() => fault);
    const patient = patientWriter(writer, { now: () => 0, forMs: 100, mostCharacters: 50 });
    patient.write(batch({ events: eventsFrom(0, 1, { body: 'x'.repeat(50) }) }), false);
    expect(() => patient.write(batch({ events: eventsFrom(1, 1, { body: 'x' }) }), false)).toThrow(fault);
  });

  it('is tried several times when nothing comes after it, and then given up', () => {
    let left = 4;
    const short = refusing(() => (left-- > 0 ? fault : undefined));
    const patience = { now: () => 0, forMs: 100, mostCharacters: 1_000 };
    patientWriter(short.writer, patience).write(batch({ events: eventsFrom(0, 2), end: end() }), true);
    expect(short.store.run('a')).toMatchObject({ state: 'complete', events: 2 });
    const long = refusing(() => fault);
    expect(() => patientWriter(long.writer, patience).write(batch({}), true)).toThrow(fault);
    expect(long.tries()).toBe(10);
  });

  it('is not kept when the claim is lost', () => {
    const lost = new EspalierError('claim-lost', 'another has it');
    const { writer, tries } = refusing(() => lost);
    const patient = patientWriter(writer, { now: () => 0, forMs: 100, mostCharacters: 1_000 });
    expect(() => patient.write(batch({}), true)).toThrow(lost);
    expect([patient.isWaiting, tries()]).toEqual([false, 1]);
  });
});

describe('a store that another process has locked', () => {
  /** Locks the file from within the first leaf; `until` is the leaf that unlocks it. */
  const lockedRun = async (until: string) => {
    const file = storeFile();
    const store = sqliteStore(file, { busyMs: 5 });
    const other = new DatabaseSync(file);
    onTestFinished(() => {
      other.close();
      store.close();
    });
    let live: boolean | undefined;
    const w = world(
      tree([3, 2], { scenario: { limits: { maxDepth: 2, concurrency: 1 } } }),
      {
        async attempt({ task: { path } }) {
          if (path === 'root/d0/l0') other.exec('BEGIN IMMEDIATE');
          if (path === until) other.exec('COMMIT');
          return draft(path);
        },
      },
      {
        store,
        onEvent: ({ type }) => {
          if (type === 'record.failed') live = store.run('run')?.claim?.isLive;
        },
      },
    );
    const { status } = await w.run();
    return { w, store, status, live: () => live };
  };

  it('for a part of a run loses nothing of it', async () => {
    const { w, store, status } = await lockedRun('root/d2/l0');
    expect(status).toBe('complete');
    expect(w.eventsOf('record.failed')).toEqual([]);
    expect([...store.events('run')].map(({ seq }) => seq)).toEqual(w.events.map(({ seq }) => seq));
    expect(verifyRun(store, 'run')).toMatchObject({ problems: [], isFinished: true });
  });

  it('for all of it costs the record; the claim stays as long as the run goes on', async () => {
    const { w, status, live } = await lockedRun('nobody');
    expect(status).toBe('complete');
    expect(w.eventsOf('record.failed')).toHaveLength(1);
    expect(live()).toBe(true);
  });
});
