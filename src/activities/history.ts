/**
 * What earlier runs teach of how long each node works by itself: a leaf at its attempts, an orchestrator at its
 * synthesis. Pure.
 *  1. Two measurements outweigh the author's estimate: one may have been a bad day.
 *  2. More time is believed at once, less only of two: a reserve too small cuts a synthesis off, one too great costs
 *     little. So a synthesis that was cut off, which took at least that long, has more time in the next run.
 */
import { median } from 'simple-statistics';
import type { Duration, Store } from '../ports/store.ts';
import { DETERMINISTIC_RESERVE_MS, SYNTHESIZER_RESERVE_MS } from '../tier/grant.ts';

/** In ms, over the latest measurements. */
export type Measured = { medianMs: number; greatestMs: number; times: number };
/** By path. */
export type History = ReadonlyMap<string, Measured>;
export const NO_HISTORY: History = new Map();

const REMEMBERED = 10; // the latest of each path
const ENOUGH = 2;
const HEADROOM = 1.5;
const LEAST_SYNTHESIZER_RESERVE_MS = 1_000;

/** @throws EspalierError `store-fault` */
export const historyIn = (store: Store, scenario: string): History => historyOf(store.durations(scenario, REMEMBERED));

/** `durations`: of one scenario, the latest of each path first. */
export function historyOf(durations: Iterable<Duration>): History {
  const latest = new Map<string, number[]>();
  for (const { path, ms } of durations) {
    if (!Number.isFinite(ms) || ms < 0) continue; // a clock that was set back
    const known = latest.get(path);
    if (!known) latest.set(path, [ms]);
    else if (known.length < REMEMBERED) known.push(ms);
  }
  const history = new Map<string, Measured>();
  for (const [path, all] of latest) {
    history.set(path, { medianMs: median(all), greatestMs: Math.max(...all), times: all.length });
  }
  return history;
}

/** What a leaf's work is expected to take, at least 1 ms; undefined when neither an earlier run nor its author says. */
export function expectedWork(
  measured: Measured | undefined,
  estimateMs: number | undefined,
): { ms: number; from: 'runs' | 'author' } | undefined {
  if (measured && (estimateMs === undefined || measured.times >= ENOUGH)) {
    return { ms: Math.max(1, measured.medianMs), from: 'runs' };
  }
  return estimateMs === undefined ? undefined : { ms: estimateMs, from: 'author' };
}

/** What an orchestrator keeps back for its synthesis, in ms. `isAsked`: a synthesizer is, who may have to wait. */
export function reserveFor(isAsked: boolean, measured: Measured | undefined): number {
  const usual = isAsked ? SYNTHESIZER_RESERVE_MS : DETERMINISTIC_RESERVE_MS;
  if (!measured) return usual;
  const least = isAsked ? LEAST_SYNTHESIZER_RESERVE_MS : DETERMINISTIC_RESERVE_MS;
  const learned = Math.max(least, measured.greatestMs * HEADROOM);
  return measured.times >= ENOUGH ? learned : Math.max(usual, learned);
}
