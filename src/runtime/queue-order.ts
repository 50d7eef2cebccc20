type Expected = { readonly estimateMs: number | undefined };

/** Who goes first: whose length is unknown, then whoever is expected to take longest. */
export function byLength({ estimateMs: a }: Expected, { estimateMs: b }: Expected): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return b - a;
}
