/** Seeded randomness: the same seed draws the same numbers on every machine. */
export type Draw = () => number;

/** Uniform in [0, 1): mulberry32. */
export function uniform(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Log-normal with this median; `sigma` is the standard deviation of its logarithm. By Box and Muller. */
export const logNormal =
  (median: number, sigma: number, draw: Draw): Draw =>
  () =>
    median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()));
