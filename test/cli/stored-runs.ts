/** SQLite files with runs in them, made on virtual time. */
import { join } from 'node:path';
import { sqliteStore } from '../../src/adapters/stores/sqlite-store.ts';
import type { Store } from '../../src/ports/store.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { CRITICAL, draft, tree, world, type WorldOptions } from '../support/world.ts';
import { workspace } from './command.ts';

type Kept = WorldOptions & { runId: string; scenario?: string; thesis?: string; at?: number };
export type StoreAt = {
  readonly file: string;
  /** Another connection, closed with the rest. */
  readonly store: Store;
  /** Keeps a run of two domains over two leaves; stops it after `stopAt` ms, when that is given. */
  keep(run: Kept, stopAt?: number): Promise<void>;
  [Symbol.dispose](): void;
};

export function storeAt(): StoreAt {
  const at = workspace();
  const file = join(at.path, 'runs.db');
  const store = sqliteStore(file);
  return {
    file,
    store,
    async keep({ at = Date.UTC(2026, 10, 20, 10), scenario = 'tree', thesis, ...options }, stopAt) {
      const clock = new VirtualClock(at);
      const attempt = async ({ task }: { task: { path: string } }) => {
        await clock.sleep(task.path.startsWith('root/d1') ? 8_000 : 2_000);
        return draft(task.path, task.path === 'root/d1/l0' ? CRITICAL : {});
      };
      const shape = tree([2, 2], { scenario: { name: scenario, asOf: '2008-06-01' } });
      const w = world(shape, { attempt }, { ...options, ...(thesis && { thesis }), store, clock });
      const handle = w.start();
      if (stopAt !== undefined) clock.setTimeout(() => handle.stop(), stopAt);
      await clock.run(handle.result.catch(() => undefined));
    },
    [Symbol.dispose]() {
      store.close();
      at[Symbol.dispose]();
    },
  };
}
