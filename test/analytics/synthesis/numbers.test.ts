import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownNumbers, numberKey, numberOf, numbersIn, splitCitations } from '../../../src/analytics/numbers.ts';

const keys = (text: string): string[] => numbersIn(text).map(numberKey);

describe('numbersIn', () => {
  it.each([
    ['−2.5, -0.5% and +3', ['-2.5', '-0.5', '3']],
    ['1,234.5 of 12,345,678', ['1234.5', '12345678']],
    ['1,2 and 1,2345', ['1', '2', '1', '2345']],
    ['.5, 2e-3, 1.5E3', ['0.5', '0.002', '1500']],
    ['12-1 momentum, 3-5 years, (2)-7, 4%-9', ['12', '1', '3', '5', '2', '7', '4', '9']],
    ['2008-04, 2008-04-01 and 2008-04-01T12:30:00.000Z', ['2008-04', '2008-04-01', '2008-04-01']],
    ['2008-2010, 2008-13, 2008-04-99', ['2008', '2010', '2008', '13', '2008', '4', '99']],
    ['Q4, leaf-3, COVID-19, JOBS_2', []],
    ['3m, 10-year, 2x, $5bn, S&P 500', ['3', '10', '2', '5', '500']],
    ['It is 7. Or 8, or 9; no: 10!', ['7', '8', '9', '10']],
    ['no number at all', []],
    [`${'9'.repeat(400)} is too many`, []],
  ])('reads %j', (text, expected) => {
    expect(keys(text)).toEqual(expected);
  });

  it('keeps decimals, sign and percent as printed', () => {
    expect(numbersIn('−1,234.50 %')).toEqual([
      { kind: 'number', value: -1234.5, decimals: 2, sign: '-', percent: true },
    ]);
    expect(numbersIn('1.2e3')).toMatchObject([{ value: 1200, decimals: -2, sign: '' }]);
  });

  it('reads back every finite number that JavaScript prints', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (drawn) => {
        const value = drawn + 0; // −0 prints as 0
        expect(numbersIn(`x ${value} y`)).toMatchObject([{ value }]);
        expect(knownNumbers([numberOf(value)])(numberOf(value))).toBe(true);
      }),
    );
  });
});

describe('knownNumbers', () => {
  const isKnown = (prose: string, ...inputs: (string | number)[]): boolean => {
    const known = inputs.flatMap((input) => (typeof input === 'number' ? numberOf(input) : numbersIn(input)));
    return numbersIn(prose).every(knownNumbers(known));
  };

  it.each([
    ['2.1', [2.13], true],
    ['2', [2.13], true],
    ['2.13', [2.13], true],
    ['2.2', [2.13], false],
    ['2.12', [2.13], false],
    ['2.134', [2.13], false],
    ['2.15', [2.1], false],
    ['2.1', [2.15], true],
    ['2.2', [2.15], true],
    ['1,235', [1234.6], true],
    ['1,200', [1234.6], false],
    ['27 %', [0.2743], true],
    ['27 %', [27.43], true],
    ['28 %', [0.2743], false],
    ['26.1 below', [-26.1], true],
    ['-26.1', [-26.1], true],
    ['+26.1', [-26.1], false],
    ['-26.1', [26.1], false],
    ['+26.1', ['a rise of 26.1'], true],
    ['2008-04-01', ['(2008-04-01)'], true],
    ['2008-04', ['(2008-04-01)'], true],
    ['in 2008', ['(2008-04-01)'], true],
    ['2008-05', ['(2008-04-01)'], false],
    ['2008-04-01', ['in 2008-04'], false],
    ['in 4', ['(2008-04-01)'], false],
    ['5', [], false],
  ])('%j of %j: %s', (prose, inputs, expected) => {
    expect(isKnown(prose, ...inputs)).toBe(expected);
  });

  it('knows what rounds to the printed places, and nothing else', () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(value, value, fc.integer({ min: 0, max: 6 }), (input, other, places) => {
        expect(isKnown(input.toFixed(places), input)).toBe(true);
        const isFar = Math.abs(Math.abs(other) - Math.abs(input)) > 0.51 * 10 ** -places;
        if (isFar) expect(isKnown(Math.abs(other).toFixed(places), input)).toBe(false);
      }),
    );
  });
});

describe('splitCitations', () => {
  it.each([
    ['Jobs fell 2 % [root/m/jobs#2008-04].', ['root/m/jobs#2008-04'], ['2']],
    ['[a#1][b#2] 3', ['a#1', 'b#2'], ['3']],
    ['a key with brackets [root/a#ohlc[0]] 4', ['root/a#ohlc[0]'], ['4']],
    ['[an aside of 5 [root/a#1]]', ['root/a#1'], ['5']],
    ['[6] is no citation', [], ['6']],
    ['[unclosed #7', [], ['7']],
    [']8[#', [], ['8']],
  ])('%s', (narrative, cited, numbers) => {
    const split = splitCitations(narrative);
    expect(split.cited).toEqual(cited);
    expect(keys(split.prose)).toEqual(numbers);
  });

  it('takes a hostile text in one pass', () => {
    const startedAt = performance.now();
    splitCitations('['.repeat(300_000) + '#'.repeat(300_000));
    splitCitations('[#'.repeat(300_000) + ']'.repeat(300_000));
    for (const part of ['1,', '111,', '1 ', '1-', '9', '2008-']) numbersIn(part.repeat(100_000));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
