/** Another process with the same store open: `node store-process.ts MODE FILE [AT]`. What it found goes to stdout. */
import { DatabaseSync } from 'node:sqlite';
import { sqliteStore } from '../../../src/adapters/stores/sqlite-store.ts';
import { EspalierError } from '../../../src/errors.ts';
import { batch, eventsFrom, newRun, node } from '../../contracts/store-samples.ts';

const [mode = '', file = '', at = '0'] = process.argv.slice(2);
const say = (word: unknown): void => console.log(word);
const said = (work: () => unknown): string => {
  try {
    return `done ${String(work())}`;
  } catch (error) {
    return EspalierError.isInstance(error) ? `${error.code}: ${error.message}` : `crash: ${String(error)}`;
  }
};

const modes: Record<string, () => void> = {
  /** Holds the claim on a new run until it is killed. */
  hold() {
    sqliteStore(file).begin(newRun('a'));
    say('holding');
    setInterval(() => {}, 1_000);
  },
  /** Writes batches of seven events and a node until it is killed. */
  write() {
    const writer = sqliteStore(file).begin(newRun('a'));
    for (let i = 0; ; i++) {
      const seq = i * 7;
      writer.write(batch({ events: eventsFrom(seq, 7, { body: 'x'.repeat(2_000) }), nodes: [node(`root/${i}`, seq)] }));
      if (i === 20) say('writing');
    }
  },
  /** Reads a log that is much bigger than what this process may use. */
  read() {
    let [count, length] = [0, 0];
    for (const { body } of sqliteStore(file).events('a')) {
      count++;
      length += body.length;
    }
    say(`${count} ${length}`);
  },
  /** Has the file locked for a while. */
  lock() {
    const database = new DatabaseSync(file);
    database.exec('BEGIN IMMEDIATE');
    say('locked');
    setTimeout(() => database.exec('ROLLBACK'), 300);
  },
  /** As nearly at that instant as can be, in epoch ms. */
  begin() {
    while (Date.now() < Number(at));
    const store = sqliteStore(file);
    store.begin(newRun(`of-${process.pid}`)).write(batch({ events: eventsFrom(0, 1) }));
    store.close();
    say('begun');
  },
  /** As a user who may not write there. */
  try() {
    say(
      said(() => {
        const store = sqliteStore(file);
        say(said(() => [...store.events('a')].length));
        say(said(() => store.begin(newRun('b'))));
        say(said(() => [...store.events('a')].length));
        store.close();
        return 'with it';
      }),
    );
  },
};
modes[mode]?.();
