import { describe, expect, test } from 'vitest';
import { parseDuration } from '../../src/define/duration.ts';
import { EspalierError } from '../../src/errors.ts';

describe('a duration', () => {
  test.each<[number | string, number]>([
    [1, 1],
    [0.5, 0.5],
    [1500, 1500],
    ['500ms', 500],
    ['20s', 20_000],
    ['8m', 480_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1h30m15s250ms', 5_415_250],
    ['5ms', 5],
    ['5m30s', 330_000],
    ['1.5h', 5_400_000],
    ['0.1s', 100],
    ['0h1s', 1_000],
    ['30s1m', 90_000],
    ['596h', 2_145_600_000],
    [2 ** 31 - 1, 2 ** 31 - 1],
  ])('%j is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each<[unknown]>([
    [0],
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [2 ** 31],
    [''],
    ['0s'],
    ['0'],
    ['m'],
    ['-8m'],
    ['+8m'],
    ['8 m'],
    [' 8m'],
    ['8m '],
    ['8m\n'],
    ['8M'],
    ['8min'],
    ['1d'],
    ['1,5h'],
    ['.5h'],
    ['1.h'],
    ['1e3s'],
    ['0x10s'],
    ['8m30'],
    ['600h'],
    ['9'.repeat(400) + 's'],
    [undefined],
    [null],
    [true],
    [{}],
  ])('%j is none', (text) => {
    const message = `The wait "${String(text)}" is not a positive duration of at most 24 days. Write one such as "90s", "8m" or "1h30m".`;
    expect(() => parseDuration(text as string, 'wait')).toThrow(new EspalierError('invalid-input', message));
  });

  test.each(['3', '1.5'])('%j lacks a unit, and is told so', (text) => {
    const message = `The wait "${text}" is a number without a unit: add a unit, such as "${text}s" or "${text}m".`;
    expect(() => parseDuration(text, 'wait')).toThrow(new EspalierError('invalid-input', message));
  });

  test('a long text is refused at once', () => {
    expect(() => parseDuration('1s'.repeat(50_000) + 'x')).toThrow(EspalierError);
  });
});
