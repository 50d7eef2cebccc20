/**
 * Finds the numbers in prose and tells rounding from invention. What counts as one number:
 *  1. Digits with an optional sign (`-`, `−`, `+`), thousands commas, decimals and exponent: `−1,234.5`, `.5`, `2e-3`.
 *     A dash after a letter, digit, percent sign or closing bracket is no sign: `12-1` is 12 and 1.
 *  2. A date, as a whole and only comparable with dates: `2008-04`, `2008-04-01`, `2008-04-01T12:00Z`.
 *  3. Digits that belong to a name are none: `Q4`, `leaf-3`, `COVID-19`. Digits before letters are: `3m`, `10-year`.
 *  4. In a narrative, what stands in a citation is none: `[root/macro/jobs#2008-04]`.
 */

export type NumberInText =
  | {
      readonly kind: 'number';
      readonly value: number;
      /** Places after the point as printed; below 0 when an exponent moved the point. */
      readonly decimals: number;
      /** As printed: prose mostly leaves the sign to words, "fell 0.5 %". */
      readonly sign: '+' | '-' | '';
      readonly percent: boolean;
    }
  | { readonly kind: 'date'; readonly date: string };

const DIGIT = /\d/;
const NUMBER = new RegExp(
  [
    String.raw`(?<![\p{L}\p{M}_][-‐‑./]?)(?<!\p{N})`, // not part of a name or of a longer number
    String.raw`(?:(?<date>\d{4}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)(?!\d|-\d)(?:T\d[\d:.]*Z?)?`,
    String.raw`|(?:(?<![)\]%])(?<sign>[-−+]))?(?<digits>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)`,
    String.raw`(?<exponent>e[-+]?\d+(?![\p{L}\p{N}]))?(?<percent>\s?%)?)`,
  ].join(''),
  'giu',
);

/** The numbers of a text in order of appearance. Digits too many for a finite number are left out. */
export function numbersIn(text: string): NumberInText[] {
  const found: NumberInText[] = [];
  if (!DIGIT.test(text)) return found; // most texts have none, and the pattern below is slow in saying so
  for (const { groups = {} } of text.matchAll(NUMBER)) {
    const { date, sign, digits = '', exponent = '', percent } = groups;
    if (date !== undefined) {
      found.push({ kind: 'date', date });
      continue;
    }
    const isNegative = sign !== undefined && sign !== '+';
    const magnitude = Number(digits.replaceAll(',', '') + exponent);
    if (!Number.isFinite(magnitude)) continue;
    const point = digits.indexOf('.');
    found.push({
      kind: 'number',
      value: isNegative ? -magnitude : magnitude,
      decimals: (point < 0 ? 0 : digits.length - point - 1) - Number(exponent.slice(1)),
      sign: isNegative ? '-' : sign === '+' ? '+' : '',
      percent: percent !== undefined,
    });
  }
  return found;
}

/** A value as if it had been printed with its sign and all its decimals. */
export function numberOf(value: number): NumberInText {
  const [printed] = numbersIn(String(Math.abs(value)));
  const decimals = printed?.kind === 'number' ? printed.decimals : 0;
  return { kind: 'number', value, decimals, sign: value < 0 ? '-' : '+', percent: false };
}

/** Equal for numbers that are exactly equal, a percent sign aside. */
export const numberKey = (number: NumberInText): string => (number.kind === 'date' ? number.date : `${number.value}`);

/**
 * Half a unit of the last printed place: 2.1 stands for anything from 2.05 to 2.15. The rest covers what binary
 * fractions lose.
 */
export const roundingOf = (value: number, decimals: number): number =>
  0.5 * 10 ** -decimals * (1 + 1e-9) + Math.abs(value) * 1e-12;

/**
 * A test for whether a number in prose is one of `known`, rounded at most to its printed places: of 2.13, `2.1` is,
 * `2.2` and `2.134` are not. `12 %` also stands for 0.12; a number without a sign for either sign, since words carry
 * it; one with a sign for that sign alone. A date or year stands for any known date within it.
 */
export function knownNumbers(known: Iterable<NumberInText>): (number: NumberInText) => boolean {
  const signed: number[] = [];
  const dates = new Set<string>();
  for (const number of known) {
    if (number.kind === 'number') signed.push(number.value);
    else {
      for (const length of [4, 7, 10]) dates.add(number.date.slice(0, length));
      signed.push(Number(number.date.slice(0, 4)));
    }
  }
  const bySign = Float64Array.from(signed).sort();
  const bySize = Float64Array.from(signed, Math.abs).sort();
  return (number) => {
    if (number.kind === 'date') return dates.has(number.date);
    const { value, decimals, sign, percent } = number;
    const reach = roundingOf(value, decimals);
    const values = sign === '' ? bySize : bySign;
    return holdsNear(values, value, reach) || (percent && holdsNear(values, value / 100, reach / 100));
  };
}

/** Whether an ascending array holds a value within `reach` of `value`. */
function holdsNear(ascending: Float64Array, value: number, reach: number): boolean {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) < value - reach) low = middle + 1;
    else high = middle;
  }
  return (ascending[low] ?? Infinity) <= value + reach;
}

/**
 * The ids a narrative cites, and the narrative without them. A citation is a pair of brackets around something with a
 * `#` of its own; a key may hold balanced brackets. One pass, so that a hostile text costs no more than its length.
 */
export function splitCitations(narrative: string): { cited: string[]; prose: string } {
  const spans: { start: number; end: number }[] = [];
  const open: { start: number; isId: boolean }[] = [];
  for (let i = 0; i < narrative.length; i++) {
    const char = narrative[i];
    const top = open.at(-1);
    if (char === '[') open.push({ start: i, isId: false });
    else if (char === '#' && top) top.isId = true;
    else if (char === ']' && top) {
      open.pop();
      if (!top.isId) continue;
      while ((spans.at(-1)?.start ?? -1) > top.start) spans.pop();
      spans.push({ start: top.start, end: i });
    }
  }
  let prose = '';
  let from = 0;
  for (const { start, end } of spans) {
    prose += `${narrative.slice(from, start + 1)}]`; // the empty brackets keep what surrounds a number as it was
    from = end + 1;
  }
  return {
    cited: spans.map(({ start, end }) => narrative.slice(start + 1, end)),
    prose: prose + narrative.slice(from),
  };
}
