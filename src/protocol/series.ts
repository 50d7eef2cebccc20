/** A time series as an analyst sees it: nothing in it was unknown at the as-of date. */
import type { Source } from './finding.ts';

export type Frequency = 'daily' | 'monthly' | 'quarterly' | 'yearly';

/** `date` is the start of the period, `availableAt` the first day on which the value was known; both `YYYY-MM-DD`. */
export type Observation = { readonly date: string; readonly value: number; readonly availableAt: string };

/** A whole series with its future, as a source adapter loads it. Observations are in order of `date`, dates unique. */
export type SeriesRecord = {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly frequency: Frequency;
  readonly seasonallyAdjusted: boolean;
  /** Months from an observation's `date` to its normal publication. */
  readonly lagMonths: number;
  readonly observations: readonly Observation[];
  readonly source: Source;
};

/** The same series as of a date. `observations` is never empty. */
export type Series = SeriesRecord & {
  readonly asOf: string;
  readonly last: Observation;
  /** Months by which the last observation is older than the normal lag. */
  readonly staleMonths: number;
  /** True when `staleMonths` exceeds 6: a series that ended is no evidence about the as-of date. */
  readonly isStale: boolean;
};
