/** The store that commands read and write: one SQLite file. */
import { Option } from 'commander';
import { EspalierError } from '../errors.ts';
import type { Store } from '../ports/store.ts';
import { misuse } from './misuse.ts';

const DEFAULT_STORE = 'runs/espalier.db';

/** `false`: keep nothing. */
export type StoreFlags = { store?: string | false };

/** `--store FILE`, or the environment's `ESPALIER_STORE`. */
export const storeOption = (): Option =>
  new Option('--store <file>', 'the SQLite file that runs are kept in')
    .env('ESPALIER_STORE')
    .default(DEFAULT_STORE)
    .argParser((text: string) => {
      if (text === '') throw misuse('The file of --store is empty. Name the file that runs are kept in.');
      return text;
    });

/** @throws EspalierError `store-fault` */
export async function openStore({ store }: StoreFlags): Promise<Store> {
  // Not before it is needed: most of a second command's start would be spent on it.
  const { sqliteStore } = await import('../adapters/stores/sqlite-store.ts');
  return sqliteStore(store || DEFAULT_STORE);
}

/**
 * The run that was meant: its id, the beginning of one, or `latest`.
 * @throws EspalierError `unknown-run`, `invalid-input` when several runs begin so
 */
export function runIdOf(store: Store, given: string): string {
  if (store.run(given)) return given;
  const like: string[] = [];
  for (const { runId } of store.runs()) {
    if (given === 'latest') return runId;
    if (given !== '' && runId.startsWith(given)) like.push(runId);
  }
  const [only, other] = like;
  if (only !== undefined && other === undefined) return only;
  const shown = like.slice(0, 4).join(', ');
  throw other === undefined
    ? new EspalierError('unknown-run', `There is no run "${given}" in ${store.name}. See "espalier runs".`)
    : misuse(`"${given}" is the beginning of ${like.length} runs: ${shown}. Give more of it.`);
}
