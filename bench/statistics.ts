/** What a section makes of its samples. */

/** By linear interpolation between order statistics; `at` in 0 … 1. */
export function quantile(samples: readonly number[], at: number): number {
  const ascending = samples.toSorted((a, b) => a - b);
  const place = at * (ascending.length - 1);
  const [below, above] = [ascending[Math.floor(place)], ascending[Math.ceil(place)]];
  if (below === undefined || above === undefined) throw new Error('no samples');
  return below + (above - below) * (place - Math.floor(place));
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

export type Samples<Name extends string> = Record<Name, number[]>;
type Variants<Name extends string> = Readonly<Record<Name, () => Promise<number>>>;

/**
 * Takes one sample of every variant in each round: A, B, A, B. So a machine that others use, too, slows all of them
 * alike, and their ratio within a round holds.
 */
export async function interleaved<Name extends string>(
  rounds: number,
  variants: Variants<Name>,
): Promise<Samples<Name>> {
  const names = Object.keys(variants) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Samples<Name>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) samples[name].push(await variants[name]());
  }
  return samples;
}

/** The median of the ratios within a round. */
export const medianRatio = (over: readonly number[], under: readonly number[]): number =>
  median(over.map((sample, round) => sample / (under[round] ?? Number.NaN)));
