import { max } from 'simple-statistics';
import type { Series } from '../protocol/series.ts';
import type { Timeline } from './calendar.ts';
import { figure, percent, shareOf } from './rounding.ts';

/** How a series changes: in logs, or in differences where logs do not exist. */
export type Scale = {
  readonly unit: string;
  /** The size of a rounding error. */
  readonly noise: number;
  /** The change at a period on `span` periods before. */
  readonly change: (period: number, span: number) => number | undefined;
  readonly value: (change: number) => number;
  readonly amount: (change: number) => string;
  readonly sentence: (change: number) => string;
};

export function scaleOf(series: Series, { periods }: Timeline): Scale {
  const values = series.observations.map((each) => each.value);
  const inLogs = values.every((value) => value > 0);
  const change = (period: number, span: number): number | undefined => {
    const now = periods.get(period)?.value;
    const then = periods.get(period - span)?.value;
    if (now === undefined || then === undefined) return undefined;
    return inLogs ? Math.log(now) - Math.log(then) : now - then;
  };
  if (inLogs) {
    return {
      unit: '% y/y',
      noise: 1e-12,
      change,
      value: (change) => 100 * shareOf(change),
      amount: (change) => percent(shareOf(change)),
      sentence: (change) => sentence(change, percent(Math.abs(shareOf(change)))),
    };
  }
  const amount = (change: number): string => `${figure(change)} ${series.unit}`;
  return {
    unit: `${series.unit} y/y`,
    noise: 1e-12 * max(values.map(Math.abs)),
    change,
    value: (change) => change,
    amount,
    sentence: (change) => sentence(change, amount(Math.abs(change))),
  };
}

const sentence = (change: number, size: string): string =>
  change === 0 ? 'unchanged from a year earlier' : `${size} ${change < 0 ? 'below' : 'above'} a year earlier`;
