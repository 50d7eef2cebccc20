/** What holds for every analyst, on series nobody would write down. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  aggregate,
  currency,
  drawdown,
  growth,
  priceTrend,
  relativeStrength,
  unemployment,
  volatilityRegime,
  yieldCurve,
  type AggregateMethod,
  type Analysis,
  type AnalystOptions,
} from '../../../src/analytics/analysts.ts';
import { confidenceOf } from '../../../src/analytics/analyst.ts';
import { CONTEXT_FLAG, FindingDraft } from '../../../src/protocol/finding.ts';
import { GapDraft } from '../../../src/protocol/gap.ts';
import type { Frequency, Series } from '../../../src/protocol/series.ts';
import { findingIn, gapIn, normals, seriesOf } from './series-of.ts';

const analysts: Readonly<Record<string, (series: Series, options: AnalystOptions) => Analysis>> = {
  growth,
  unemployment,
  yieldCurve,
  priceTrend,
  drawdown,
  volatilityRegime,
  relativeStrength: (series, options) => relativeStrength(series, { ...options, benchmark: market }),
  relativeStrengthOfMarket: (series, options) => relativeStrength(market, { ...options, benchmark: series }),
  currency: (series, options) => currency(series, { ...options, quote: 'USD per EUR' }),
};
const next = normals(11);
const market = seriesOf(
  Array.from({ length: 90 }, (_, month) => 1000 * Math.exp(0.005 * month + 0.03 * next())),
  { id: 'market', title: 'Market' },
);

/** Prices that wander, numbers without any sense, few distinct numbers, one number. */
const values = fc.oneof(
  fc
    .array(fc.double({ min: -0.4, max: 0.4, noNaN: true }), { minLength: 20, maxLength: 90 })
    .map((moves) =>
      moves.map((_, index) => 100 * Math.exp(moves.slice(0, index).reduce((sum, move) => sum + move, 0))),
    ),
  fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 90 }),
  fc.array(fc.double({ min: 1e-50, max: 1e50, noNaN: true }), { minLength: 24, maxLength: 90 }),
  fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 90 }),
  fc
    .tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: 1, max: 90 }))
    .map(([value, length]) => Array.from({ length }, () => value)),
);
const frequency = fc.constantFrom<Frequency>('monthly', 'monthly', 'daily', 'quarterly', 'yearly');
const holes = fc.oneof(fc.constant<number[]>([]), fc.array(fc.nat(80), { maxLength: 12 }));
const series = fc
  .record({ values, holes, frequency, seasonallyAdjusted: fc.boolean(), staleMonths: fc.nat(8) })
  .map(({ values, holes, ...given }) =>
    seriesOf(
      values.map((value, index) => (holes.includes(index) && index < values.length - 1 ? undefined : value)),
      given,
    ),
  );

describe.each(Object.entries(analysts))('%s', (_, analyse) => {
  test('answers with what the protocol takes, without NaN or infinity, whatever it is given', () => {
    fc.assert(
      fc.property(series, (given) => {
        const analysis = analyse(given, { polarity: 1 });
        if ('gap' in analysis) {
          expect(GapDraft.parse(analysis)).toEqual(analysis);
          return;
        }
        expect(FindingDraft.parse(analysis)).toEqual(analysis);
        expect(JSON.stringify(analysis)).not.toMatch(/NaN|Infinity|null|undefined/);
        expect(analysis.statement).not.toMatch(/-0(\.0+)? /);
        expect(analysis.confidence).toBeGreaterThanOrEqual(0.05);
        if (analysis.critical) expect(analysis.confidence).toBeGreaterThanOrEqual(0.4);
      }),
      { numRuns: 300 },
    );
  });

  test('polarity turns the stance around and nothing else', () => {
    fc.assert(
      fc.property(series, (given) => {
        const up = analyse(given, { polarity: 1 });
        const down = analyse(given, { polarity: -1 });
        if ('gap' in up || 'gap' in down) {
          expect(down).toEqual(up);
          return;
        }
        expect((down.stance ?? Number.NaN) + (up.stance ?? Number.NaN)).toBe(0);
        expect({ ...down, stance: 0 }).toEqual({ ...up, stance: 0 });
        const context = analyse(given, { polarity: 0 });
        expect(context).toEqual({ ...up, stance: 0, flags: [CONTEXT_FLAG] });
      }),
    );
  });

  test('leaves its series as it is and says the same twice', () => {
    fc.assert(
      fc.property(series, (given) => {
        const copy = structuredClone(given);
        expect(analyse(given, { polarity: 1 })).toEqual(analyse(given, { polarity: 1 }));
        expect(given).toEqual(copy);
      }),
      { numRuns: 30 },
    );
  });

  test('one or two observations are a gap', () => {
    expect(gapIn(analyse(seriesOf([1]), { polarity: 1 })).gap).toBe('insufficient');
    expect(gapIn(analyse(seriesOf([1, 2]), { polarity: 1 })).gap).toBe('insufficient');
  });

  test('a constant is a gap or neutral', () => {
    const analysis = analyse(seriesOf(market.observations.map(() => 0.3)), { polarity: 1 });
    if ('gap' in analysis) expect(analysis.gap).toBe('insufficient');
    // A spread of 0.3 is a slope, and the market moves against a constant.
    else if (!['yield-curve', 'relative-strength'].includes(analysis.measure ?? '')) expect(analysis.stance).toBe(0);
  });

  test('magnitudes that no measurement has are a gap, those just inside are not out of range', () => {
    const swinging = (size: number) => seriesOf(market.observations.map((_, month) => (month % 2 ? size : 1 / size)));
    expect(gapIn(analyse(swinging(1e200), { polarity: 1 })).why).toContain('beyond 1e+50');
    expect(gapIn(analyse(seriesOf(market.observations.map(() => 1e-60)), { polarity: 1 })).why).toContain(
      'below 1e-50',
    );
    expect(FindingDraft.safeParse(analyse(swinging(1e49), { polarity: 1 })).success).toBe(true);
    expect(JSON.stringify(analyse(swinging(1e49), { polarity: 1 }))).not.toContain('Infinity');
  });

  test('an ended series is stale, however good it was', () => {
    const ended = { ...market, staleMonths: 7, isStale: true };
    expect(gapIn(analyse(ended, { polarity: 1 }))).toEqual({
      gap: 'stale',
      why: 'last observation 2007-06-01 of Market, 7 months beyond its normal lag',
    });
  });

  test('names its finding by its measure, or as told, and dates its source', () => {
    const own = findingIn(analyse(market, { polarity: 1 }));
    expect(own.key).toBe(own.measure);
    expect(own.source).toMatchObject({ ref: 'test#series', asOf: '2007-06-01' });
    expect(own.statement).toMatch(/^Market \(2007-06\): /);
    expect(findingIn(analyse(market, { polarity: 1, key: 'mine' })).key).toBe('mine');
  });
});

test('an aggregate can be analysed or says why not', () => {
  fc.assert(
    fc.property(
      fc.array(series, { maxLength: 4 }),
      fc.constantFrom<AggregateMethod>('sum', 'mean', 'equal-weight-index'),
      (parts, how) => {
        const basket = aggregate('basket', 'Basket', parts, how);
        if ('gap' in basket) {
          expect(GapDraft.parse(basket)).toEqual(basket);
          return;
        }
        expect(basket.last).toBe(basket.observations.at(-1));
        expect(basket.observations.every(({ value }) => Number.isFinite(value))).toBe(true);
        const dates = basket.observations.map((each) => each.date);
        expect(dates).toEqual([...new Set(dates)].sort());
        growth(basket, { polarity: 1 });
      },
    ),
  );
});

describe('confidence', () => {
  test('a known answer', () => {
    expect(confidenceOf(24, 0, 1)).toBe(0.5);
    expect(confidenceOf(24, 3, 1)).toBe(0.25);
    expect(confidenceOf(72, 6, 0.8)).toBe(0.15);
  });

  test('stays within .05 and .95', () => {
    expect(confidenceOf(1, 6, 0.7)).toBe(0.05);
    expect(confidenceOf(10_000, 0, 1)).toBe(0.95);
  });
});
