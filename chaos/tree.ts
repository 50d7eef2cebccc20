/** The work that is broken: four tiers, whose leaves find something halfway and something at their end. */
export const DEADLINE_MS = 60_000;
const DOMAINS = 3;
const SUB_DOMAINS = 2;
const LEAVES = 3;
export const SYNTHESIS_MS = 1_000;
/** How long somebody thinks who then wants more than there is time for. */
export const CHOOSING_MS = 5_000;

export const FAULTS = [
  'hang',
  'throw',
  'silent',
  'invalid',
  'slow',
  'late spawn',
  'storm',
  '429 storm',
  'corrupt synthesis',
  'fabricated citation',
] as const;
export type Fault = (typeof FAULTS)[number];
export const TIERS = ['leaf', 'sub-domain', 'domain', 'root synthesis'] as const;
export type Tier = (typeof TIERS)[number];
export type Blow = { readonly fault: Fault; readonly tier: Tier };

/** Where it strikes. */
export const PATHS: Readonly<Record<Tier, string>> = {
  leaf: 'root/d1/s0/l0',
  'sub-domain': 'root/d1/s0',
  domain: 'root/d1',
  'root synthesis': 'root',
};
/** A leaf has no synthesis that could be corrupt. */
export const BLOWS: readonly Blow[] = FAULTS.flatMap((fault) =>
  TIERS.filter((tier) => tier !== 'leaf' || !isOfSynthesis(fault)).map((tier) => ({ fault, tier })),
);
export function isOfSynthesis(fault: Fault): boolean {
  return fault === 'corrupt synthesis' || fault === 'fabricated citation';
}

const names = (letter: string, width: number): string[] => Array.from({ length: width }, (_, i) => `${letter}${i}`);
export const childrenOf = (path: string): string[] => {
  const width = [names('d', DOMAINS), names('s', SUB_DOMAINS), names('l', LEAVES)];
  return width[path.split('/').length - 1] ?? [];
};
export const isLeaf = (path: string): boolean => childrenOf(path).length === 0;
const leavesBelow = (path: string): string[] =>
  isLeaf(path) ? [path] : childrenOf(path).flatMap((name) => leavesBelow(`${path}/${name}`));
const ALL = leavesBelow('root');

/** Between 2 and 8 s, no two alike. */
export const workMs = (path: string): number => 2_000 + 340 * ((ALL.indexOf(path) * 7) % ALL.length);
/** The first leaf of each sub-domain finds what must not be lost. */
const isAlarmed = (path: string): boolean => path.endsWith('/l0');

export type Draft = {
  readonly key: string;
  readonly statement: string;
  readonly stance: number;
  readonly critical?: { readonly rule: string; readonly reason: string };
};
export const halfway = (path: string): Draft => ({
  key: 'halfway',
  statement: `${path} found this halfway`,
  stance: -0.5,
  ...(isAlarmed(path) && { critical: { rule: 'alarm', reason: 'it rings' } }),
});
export const atEnd = (path: string): Draft => ({ key: 'end', statement: `${path} found this`, stance: 0.5 });
export const INVENTED = 'root/d9/s9/l9#invented';
