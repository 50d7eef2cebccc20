/** What was found wrong with a record: in the order of its log, whoever found it. */
export type Problem = {
  /** Of the node; of what belongs to the run as a whole, empty. */
  path: string;
  /** One sentence, with the path in front. */
  message: string;
};
export type Problems = {
  /** `seq`: where in the log. What has no place there comes last. */
  add(path: string, what: string, seq?: number): Placed;
  inOrder(): Problem[];
};
export type Placed = { path: string; what: string; seq: number };

export function createProblems(): Problems {
  const found: Placed[] = [];
  return {
    add(path, what, seq = Infinity) {
      const placed = { path, what, seq };
      found.push(placed);
      return placed;
    },
    inOrder: () =>
      found
        .toSorted((a, b) => (a.seq === b.seq ? 0 : a.seq - b.seq))
        .map(({ path, what }) => ({ path, message: path === '' ? `The run: ${what}.` : `${path}: ${what}.` })),
  };
}
