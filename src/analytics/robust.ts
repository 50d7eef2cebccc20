import { mean, median } from 'simple-statistics';
import { clamp } from './rounding.ts';

/** Makes the MAD of a normal sample estimate its standard deviation; the same for the mean absolute deviation. */
const MAD_TO_SD = 1.4826;
const MEAN_DEVIATION_TO_SD = 1.2533;
/** A MAD below this part of the mean absolute deviation is that of the many values that hardly differ. */
const NEARLY_ONE_VALUE = 0.1;
/** Scores beyond this say nothing more. */
const LIMIT = 99;

/**
 * The robust z-score (value − median)/(1.4826·MAD) of a value in its history, within ±99. Where more than half of the
 * history is (nearly) one value, as with a pegged price, MAD is about 0: then 1.2533 times the mean absolute deviation
 * stands in. 0 where the spread does not exceed `noise`, the size of rounding errors. After Iglewicz & Hoaglin (1993), "How to Detect and Handle Outliers".
 */
export function robustZ(value: number, history: readonly number[], noise = 1e-12): number {
  if (history.length === 0) return 0;
  const center = median([...history]);
  const deviations = history.map((each) => Math.abs(each - center));
  const byMedian = MAD_TO_SD * median(deviations);
  const byMean = MEAN_DEVIATION_TO_SD * mean(deviations);
  const scale = byMedian > NEARLY_ONE_VALUE * byMean ? byMedian : byMean;
  return scale > noise ? clamp((value - center) / scale, -LIMIT, LIMIT) : 0;
}
