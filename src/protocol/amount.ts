import type { Budget } from './grant.ts';

/** `$0.5`, `1,200 tokens`, `1 leaf`: exact, because somebody may have to add it up. */
export function formatAmount(dimension: keyof Budget, amount: number): string {
  const figure = amount.toLocaleString('en-US', { maximumFractionDigits: 9 });
  if (dimension === 'usd') return `$${figure}`;
  const [one, several] = dimension === 'tokens' ? ['token', 'tokens'] : ['leaf', 'leaves'];
  return `${figure} ${amount === 1 ? one : several}`;
}
