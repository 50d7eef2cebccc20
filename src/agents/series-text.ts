/** A series as a model reads it: what it is, how it stands, and its latest observations. */
import type { Observation, Series } from '../protocol/series.ts';

const SHOWN = 120;
const YEAR: Readonly<Record<Series['frequency'], number>> = { daily: 252, monthly: 12, quarterly: 4, yearly: 1 };

/** `from`: the earliest date wanted, `YYYY-MM-DD`. At most the latest 120 observations are written out. */
export function seriesText(series: Series, from = ''): string {
  const { title, unit, frequency, seasonallyAdjusted, asOf, last, observations, staleMonths } = series;
  const wanted = observations.filter(({ date }) => date >= from);
  const shown = wanted.slice(-SHOWN);
  const values = observations.map(({ value }) => value);
  const before = observations.at(-1 - YEAR[frequency]);
  const lines = [
    `title: ${title}`,
    `unit: ${unit}`,
    `frequency: ${frequency}, ${seasonallyAdjusted ? 'seasonally adjusted' : 'not seasonally adjusted'}`,
    `known as of: ${asOf}`,
    `observations: ${observations.length}, from ${observations[0]?.date} to ${last.date}`,
    `last: ${last.value} (${last.date})${staleMonths > 0 ? `, ${staleMonths} months late` : ''}`,
    ...(before ? [`a year before: ${before.value} (${before.date})`] : []),
    `least: ${Math.min(...values)}, greatest: ${Math.max(...values)}`,
    ...(shown.length < wanted.length ? [`the latest ${shown.length} of ${wanted.length}:`] : []),
    'date,value',
    ...shown.map(row),
  ];
  return lines.join('\n');
}

const row = ({ date, value }: Observation): string => `${date},${value}`;
