/** Time, as a seam. A superset of XState's `clock`: give the same object to both. `now` is epoch milliseconds. */
export type Clock = {
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
};
