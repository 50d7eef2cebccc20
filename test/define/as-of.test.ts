import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkAsOf } from '../../src/define/as-of.ts';
import { IsoDate } from '../../src/protocol/task.ts';

const isTaken = (text: string): boolean => {
  try {
    checkAsOf(text);
    return true;
  } catch {
    return false;
  }
};
const number = (digits: number) => fc.nat(10 ** digits - 1).map((value) => String(value).padStart(digits, '0'));
const almostDate = fc.tuple(number(4), fc.nat(13), fc.nat(32)).map(([year, month, day]) => {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)}`;
});
const leapDay = number(4).map((year) => `${year}-02-29`);

it('takes exactly the dates that a task may have', () => {
  fc.assert(
    fc.property(fc.oneof(almostDate, leapDay, fc.string()), (text) => {
      expect(isTaken(text)).toBe(IsoDate.safeParse(text).success);
    }),
    { numRuns: 2000 },
  );
});

it.each(['2008-02-29T00:00Z', '-000001-01', '+010000-01', '2008-02-29\n'])('does not take %j', (text) => {
  expect(isTaken(text)).toBe(false);
});
