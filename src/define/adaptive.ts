/** Checks what a domain or scenario leaves to be decided when it runs. */
import { EspalierError } from '../errors.ts';
import { shown } from './check.ts';
import type { Child, DomainSpec } from './spec.ts';
import { checkName } from './stages.ts';

const MOST_ROUNDS = 3;

/** @throws EspalierError `invalid-definition` */
export function checkAdaptive(
  owner: string,
  { relevance, reinvestigate, decide }: Pick<DomainSpec, 'relevance' | 'reinvestigate' | 'decide'>,
  children: readonly Child[],
): void {
  const fail = (what: string, remedy: string): never => {
    throw new EspalierError('invalid-definition', `${owner} has ${what}. ${remedy}`);
  };
  const isSpec = typeof relevance === 'object' && relevance !== null;
  if (relevance !== undefined && relevance !== 'assess' && typeof relevance !== 'function' && !isSpec) {
    fail(`relevance: ${shown(relevance)}`, 'Give "assess", a function, or { assess, threshold }.');
  }
  const threshold = isSpec ? relevance.threshold : undefined;
  if (threshold !== undefined && !(threshold >= 0 && threshold <= 1)) {
    fail(`relevance.threshold: ${shown(threshold)}`, 'Give a number from 0 to 1.');
  }
  if (reinvestigate === undefined) return;
  if (typeof reinvestigate !== 'object' || reinvestigate === null) {
    fail(`reinvestigate: ${shown(reinvestigate)}`, 'Give { dissentAbove, leaves }.');
  }
  const { rounds = 1, leaves, dissentAbove = 0 } = reinvestigate;
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS) {
    fail(`reinvestigate.rounds: ${shown(rounds)}`, `Give 1 to ${MOST_ROUNDS}.`);
  }
  if (!Number.isFinite(dissentAbove)) {
    fail(`reinvestigate.dissentAbove: ${shown(dissentAbove)}`, 'Give a number from 0 to 0.5.');
  }
  if (leaves === undefined && !decide) fail('reinvestigate, but nobody to ask', 'Give it leaves, or a decide.');
  const names = new Set(children.map(({ name }) => name));
  for (const leaf of leaves ?? []) {
    if (leaf?.kind !== 'leaf') fail('reinvestigate.leaves with one that is none', 'Make it with defineLeaf.');
    checkName('Leaf', leaf.name);
    if (names.has(leaf.name)) fail(`two children named "${leaf.name}"`, 'Rename one of them.');
    names.add(leaf.name);
  }
}
