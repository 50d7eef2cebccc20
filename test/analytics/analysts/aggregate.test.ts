import { describe, expect, test } from 'vitest';
import { aggregate, priceTrend } from '../../../src/analytics/analysts.ts';
import type { GapDraft } from '../../../src/protocol/gap.ts';
import type { Series } from '../../../src/protocol/series.ts';
import { dateAt, findingIn, gapIn, seriesOf, seriesWith } from './series-of.ts';

const part = (id: string, values: readonly (number | undefined)[], given: Partial<Series> = {}): Series =>
  seriesOf(values, { id, title: id, source: { kind: 'test', ref: `file#${id}` }, ...given });

function seriesIn(answer: Series | GapDraft): Series {
  if ('gap' in answer) throw new Error(answer.why);
  return answer;
}
const valuesOf = (answer: Series | GapDraft): number[] => seriesIn(answer).observations.map((each) => each.value);

describe('sum and mean', () => {
  const a = part('a', [1, 2, 3, 4]);
  const b = part('b', [10, undefined, 30, 40, 50]);

  test('exist where every part has a value', () => {
    const sum = seriesIn(aggregate('total', 'Total', [a, b], 'sum'));
    expect(sum.observations.map(({ date, value }) => [date, value])).toEqual([
      [dateAt(0), 11],
      [dateAt(2), 33],
      [dateAt(3), 44],
    ]);
    expect(sum).toMatchObject({ id: 'total', title: 'Total', unit: 'units', last: { date: dateAt(3), value: 44 } });
    expect(valuesOf(aggregate('m', 'Mean', [a, b], 'mean'))).toEqual([5.5, 16.5, 22]);
  });

  test('name all their parts', () => {
    const { source } = seriesIn(aggregate('total', 'Total', [b, a], 'sum'));
    expect(source).toMatchObject({ kind: 'aggregate', ref: 'sum(file#a, file#b)' });
  });

  test('of one part are that part', () => {
    expect(valuesOf(aggregate('same', 'Same', [a], 'mean'))).toEqual([1, 2, 3, 4]);
  });
});

describe('availability', () => {
  const slow = part('slow', [1, 2, 3]);
  const late = seriesWith(
    slow.observations.map((each, index) => ({ ...each, availableAt: dateAt(index === 1 ? 9 : index + 2) })),
    { id: 'late' },
  );
  const availability = (how: 'sum' | 'equal-weight-index'): string[] =>
    seriesIn(aggregate('x', 'X', [slow, late], how)).observations.map((each) => each.availableAt);

  test('is that of the latest part', () => {
    expect(availability('sum')).toEqual([dateAt(2), dateAt(9), dateAt(4)]);
  });

  test('of an index is also that of its past', () => {
    expect(availability('equal-weight-index')).toEqual([dateAt(2), dateAt(9), dateAt(9)]);
  });
});

describe('an index of equal weights', () => {
  test('moves by the mean return', () => {
    // +100 % and 0 %, then 0 % and −50 %.
    const index = aggregate('i', 'Index', [part('a', [1, 2, 2]), part('b', [50, 50, 25])], 'equal-weight-index');
    expect(valuesOf(index)).toEqual([100, 150, 112.5]);
    expect(seriesIn(index).unit).toBe('index, 2000-01-01 = 100');
  });

  test('takes a newcomer in without a jump', () => {
    const index = aggregate(
      'i',
      'Index',
      [part('a', [1, 1, 2]), part('b', [undefined, 900, 900])],
      'equal-weight-index',
    );
    expect(valuesOf(index)).toEqual([100, 100, 150]);
  });

  test('keeps the move of a part over a month without a quote', () => {
    const index = aggregate('i', 'Index', [part('a', [5, undefined, 10]), part('b', [1, 1, 1])], 'equal-weight-index');
    expect(valuesOf(index)).toEqual([100, 100, 150]);
  });

  test('ends with the part that ends first, and is as stale', () => {
    const ended = part('ended', [1, 1], { staleMonths: 8, asOf: dateAt(11) });
    const alive = part(
      'alive',
      Array.from({ length: 10 }, () => 1),
      { asOf: dateAt(11) },
    );
    const index = seriesIn(aggregate('i', 'Index', [alive, ended], 'equal-weight-index'));
    expect(index).toMatchObject({ last: { date: dateAt(1) }, staleMonths: 8, isStale: true });
    expect(gapIn(priceTrend(index, { polarity: 1 })).gap).toBe('stale');
  });

  test('of one part trends like it', () => {
    const prices = Array.from({ length: 40 }, (_, month) => 50 + month + 3 * (month % 4));
    const index = seriesIn(aggregate('i', 'Test series', [part('a', prices)], 'equal-weight-index'));
    const own = findingIn(priceTrend(part('a', prices, { title: 'Test series' }), { polarity: 1 }));
    const { statement, stance } = findingIn(priceTrend(index, { polarity: 1 }));
    expect({ statement, stance }).toEqual({ statement: own.statement, stance: own.stance });
  });
});

test('the order of the parts changes nothing', () => {
  const parts = [part('a', [0.1, 0.7, 0.3]), part('b', [0.2, 0.1, 1e9]), part('c', [0.3, 1e-9, 3])];
  for (const how of ['sum', 'mean', 'equal-weight-index'] as const) {
    expect(aggregate('x', 'X', parts.toReversed(), how)).toEqual(aggregate('x', 'X', parts, how));
  }
});

test('is seasonally adjusted if all parts are, and as slow as the slowest', () => {
  const adjusted = part('a', [1, 2], { lagMonths: 1 });
  const raw = part('b', [1, 2], { lagMonths: 3, seasonallyAdjusted: false });
  expect(aggregate('x', 'X', [adjusted, raw], 'sum')).toMatchObject({ lagMonths: 3, seasonallyAdjusted: false });
});

const day = (date: string, value: number) => ({ date, value, availableAt: date });
test('daily series are matched by day', () => {
  const a = seriesWith([day('2008-01-30', 1), day('2008-01-31', 2)], { id: 'a', frequency: 'daily' });
  const b = seriesWith([day('2008-01-29', 5), day('2008-01-31', 6)], { id: 'b', frequency: 'daily' });
  expect(valuesOf(aggregate('x', 'X', [a, b], 'sum'))).toEqual([8]);
});

describe('what cannot be added up is a gap', () => {
  const monthly = part('a', [1, 2]);
  test.each([
    ['no parts', [], 'sum', 'no parts'],
    ['frequencies', [monthly, part('b', [1], { frequency: 'quarterly' })], 'sum', 'a is monthly, b quarterly'],
    ['units', [monthly, part('b', [1, 2], { unit: 'persons' })], 'mean', 'a is in units, b in persons'],
    ['no overlap', [monthly, part('b', [undefined, undefined, 3])], 'sum', 'no monthly date in common'],
    ['a return on nothing', [monthly, part('b', [0, 2])], 'equal-weight-index', 'positive values'],
    ['overflow', [part('a', [1e308]), part('b', [1e308])], 'sum', 'range of a number'],
  ] as const)('%s', (_, parts, how, why) => {
    const gap = gapIn(aggregate('x', 'Basket', parts, how));
    expect(gap).toMatchObject({ gap: 'insufficient', why: expect.stringContaining(`Basket: `) });
    expect(gap.why).toContain(why);
  });
});
