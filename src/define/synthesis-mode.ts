/** When a node's synthesis is made: once its children have ended, or again and again as they end. */
import { EspalierError } from '../errors.ts';
import { shown } from './check.ts';
import { parseDuration } from './duration.ts';
import type { SynthesisMode } from './spec.ts';

const DEBOUNCE_MS = 250;

/**
 * The least time between two interim reports in ms; undefined where there are none.
 * @throws EspalierError `invalid-definition`; `owner` says whose mode it is: `Domain "macro"`
 */
export function debounceOf(owner: string, mode: SynthesisMode | undefined): number | undefined {
  if (mode === undefined || mode === 'final') return undefined;
  if (mode === 'incremental') return DEBOUNCE_MS;
  const debounce: unknown = typeof mode === 'object' ? mode?.debounce : undefined;
  if (typeof debounce === 'number' || typeof debounce === 'string') {
    return parseDuration(debounce, `synthesis.debounce of ${owner}`);
  }
  throw new EspalierError(
    'invalid-definition',
    `${owner} has synthesis: ${shown(mode)}. Give "incremental", "final" or { debounce: "1s" }.`,
  );
}
