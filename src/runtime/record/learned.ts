import type { Store } from '../../ports/store.ts';
import { readingOf } from './reading.ts';

const MOST = 3;

/** By path: what attempts of a node were told in earlier runs that then succeeded, the latest first, each once. */
export function learnedIn(store: Store, scenario: string): ReadonlyMap<string, string[]> {
  const found = readingOf(() => {
    const helped = new Map<string, string[]>();
    for (const { path, enrichment } of store.enrichments(scenario)) {
      const known = helped.get(path) ?? [];
      if (known.length < MOST && !known.includes(enrichment)) helped.set(path, [...known, enrichment]);
    }
    return helped;
  });
  return 'value' in found ? found.value : new Map(); // what helped once is no reason to fail
}
