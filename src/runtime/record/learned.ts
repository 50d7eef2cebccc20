import type { Store } from '../../ports/store.ts';
import { readingOf } from './reading.ts';

const MOST = 3;

/** What attempts of a node were told in earlier runs that then succeeded: the latest first, each once. */
export function learnedIn(store: Store, scenario: string, path: string): string[] {
  const found = readingOf(() => {
    const helped = new Set<string>();
    for (const { enrichment } of store.enrichments(scenario, path)) {
      helped.add(enrichment);
      if (helped.size === MOST) break;
    }
    return [...helped];
  });
  return 'value' in found ? found.value : []; // what helped once is no reason to fail
}
