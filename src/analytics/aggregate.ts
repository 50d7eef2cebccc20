import type { GapDraft } from '../protocol/gap.ts';
import type { Observation, Series } from '../protocol/series.ts';
import { monthNumber, periodNumber } from './calendar.ts';

/** `equal-weight-index`: starts at 100 and moves by the mean return of the parts. */
export type AggregateMethod = 'sum' | 'mean' | 'equal-weight-index';

/** What a part says at a moment: a day, or a month, quarter or year. */
type Moment = readonly (Observation | undefined)[];

/**
 * One series from several, a basket or a total, in no particular order of the parts. A gap says why there is none:
 * parts of different frequency, units or reach.
 *
 * A sum or mean exists where every part has a value. The index is rebalanced every period; a part joins when its
 * history begins and stands still where it is not quoted. It ends with the part that ends first: a basket does not
 * lose a member silently, it becomes stale. A value is available when the last of what went into it is.
 */
export function aggregate(
  id: string,
  title: string,
  parts: readonly Series[],
  how: AggregateMethod,
): Series | GapDraft {
  const insufficient = (why: string): GapDraft => ({ gap: 'insufficient', why: `${title}: ${why}` });
  // Sorted, because the order of a sum changes its last bits.
  const [first, ...others] = [...parts].sort((a, b) => (a.id < b.id ? -1 : 1));
  if (first === undefined) return insufficient('no parts');
  const all = [first, ...others];
  const { frequency } = first;
  const odd = others.find((part) => part.frequency !== frequency);
  if (odd) return insufficient(`${first.title} is ${frequency}, ${odd.title} ${odd.frequency}`);
  const other = how !== 'equal-weight-index' && others.find((part) => part.unit !== first.unit);
  if (other) return insufficient(`${first.title} is in ${first.unit}, ${other.title} in ${other.unit}`);

  const moments = momentsOf(all);
  if (how === 'equal-weight-index' && moments.some((moment) => moment.some((each) => each && each.value <= 0)))
    return insufficient('an index needs positive values');
  const observations = how === 'equal-weight-index' ? chained(moments) : combined(moments, how);
  const last = observations.at(-1);
  if (last === undefined) return insufficient(`its ${all.length} parts have no ${frequency} date in common`);
  if (!observations.every(({ value }) => Number.isFinite(value)))
    return insufficient('its values leave the range of a number');

  const asOf = all.map((part) => part.asOf).reduce((a, b) => (a > b ? a : b));
  const lagMonths = Math.max(...all.map((part) => part.lagMonths));
  const staleMonths = stalenessOf(all, asOf, last.date);
  return {
    id,
    title,
    unit: how === 'equal-weight-index' ? `index, ${observations[0]?.date ?? ''} = 100` : first.unit,
    frequency,
    seasonallyAdjusted: all.every((part) => part.seasonallyAdjusted),
    lagMonths,
    observations,
    source: { kind: 'aggregate', ref: `${how}(${all.map((part) => part.source.ref).join(', ')})`, asOf },
    asOf,
    last,
    staleMonths,
    isStale: staleMonths > 6,
  };
}

/** As stale as its stalest part, and what holes at the end add. */
function stalenessOf(parts: readonly Series[], asOf: string, lastDate: string): number {
  const own = parts.map((part) => part.staleMonths + monthNumber(asOf) - monthNumber(part.asOf));
  const earliest = Math.min(...parts.map((part) => monthNumber(part.last.date)));
  return Math.max(...own) + Math.max(0, earliest - monthNumber(lastDate));
}

function momentsOf(parts: readonly Series[]): Moment[] {
  const rows = new Map<number, (Observation | undefined)[]>();
  for (const [index, part] of parts.entries()) {
    for (const observation of part.observations) {
      const key = keyOf(part, observation);
      const row = rows.get(key) ?? parts.map(() => undefined);
      row[index] = observation;
      rows.set(key, row);
    }
  }
  const end = Math.min(...parts.map((part) => keyOf(part, part.last)));
  return [...rows]
    .filter(([key]) => key <= end)
    .sort(([a], [b]) => a - b)
    .map(([, row]) => row);
}

const MS_PER_DAY = 86_400_000;
const keyOf = ({ frequency }: Series, { date }: Observation): number =>
  frequency === 'daily' ? Date.parse(date) / MS_PER_DAY : periodNumber(frequency, date);

const latest = (dates: readonly string[]): string => dates.reduce((a, b) => (a > b ? a : b), '');

const combined = (moments: readonly Moment[], how: 'sum' | 'mean'): Observation[] =>
  moments.flatMap((moment) => {
    const present = moment.filter((each) => each !== undefined);
    const [first] = present;
    if (first === undefined || present.length < moment.length) return [];
    const sum = present.reduce((total, each) => total + each.value, 0);
    return {
      date: first.date,
      value: how === 'sum' ? sum : sum / present.length,
      availableAt: latest(present.map((each) => each.availableAt)),
    };
  });

function chained(moments: readonly Moment[]): Observation[] {
  const quoted = new Map<number, number>();
  const observations: Observation[] = [];
  for (const moment of moments) {
    const before = observations.at(-1);
    const present = moment.filter((each) => each !== undefined);
    const returns = [...quoted].map(([index, value]) => (moment[index]?.value ?? value) / value);
    const growth = returns.length > 0 ? returns.reduce((total, each) => total + each, 0) / returns.length : 1;
    for (const [index, each] of moment.entries()) if (each) quoted.set(index, each.value);
    observations.push({
      date: present[0]?.date ?? before?.date ?? '',
      value: before ? before.value * growth : 100,
      // An index carries all of its past.
      availableAt: latest([before?.availableAt ?? '', ...present.map((each) => each.availableAt)]),
    });
  }
  return observations;
}
