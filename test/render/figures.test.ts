import { describe, expect, it } from 'vitest';
import {
  counted,
  enumerated,
  formatDuration,
  formatInstant,
  formatNumber,
  formatShare,
  formatSigned,
} from '../../src/render/figures.ts';

describe('figures', () => {
  it.each([
    [0, '0'],
    [-27.43, '−27.43'],
    [1_234_567, '1,234,567'],
    [0.082134, '0.08213'],
    [12_345.678, '12,346'],
    [1e21, '1.000e+21'],
    [2e-9, '2.000e−9'],
  ])('reads %d as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('signs both ways, and nought neither way', () => {
    expect([0.4, -54, 0, -0.001].map((value) => formatSigned(value, 2))).toEqual(['+0.40', '−54.00', '0.00', '0.00']);
  });

  it('never rounds a loss away', () => {
    expect([1, 0.9999, 0.995, 0.5, 0.004, 0].map(formatShare)).toEqual([
      '100 %',
      '99.9 %',
      '99.5 %',
      '50 %',
      'below 1 %',
      '0 %',
    ]);
  });

  it.each([
    [Number.NaN, '0 s'],
    [12, '12 ms'],
    [412, '412 ms'],
    [999.7, '1.0 s'],
    [9_960, '10 s'],
    [59_600, '1 min'],
    [80_000, '1 min 20 s'],
    [480_000, '8 min'],
    [3_900_000, '1 h 5 min'],
  ])('reads %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('reads an instant as UTC, and survives one that is none', () => {
    expect(formatInstant(1_212_278_400_000)).toBe('2008-06-01 00:00:00 UTC');
    expect(formatInstant(Number.POSITIVE_INFINITY)).toBe('Infinity');
  });

  it('counts and lists', () => {
    expect([counted(1, 'leaf', 'leaves'), counted(1_200, 'finding')]).toEqual(['1 leaf', '1,200 findings']);
    expect(enumerated(['a', 'b', 'c'])).toBe('a, b and c');
    expect(enumerated(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  });
});
