/** Names that somebody who mistyped may have meant. */

function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(change, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** Up to `most` of the candidates, the most similar first. One that ends in what was typed is nearer than any typo. */
export function nearest(typed: string, candidates: readonly string[], most = 3): string[] {
  const lower = typed.toLowerCase();
  return candidates
    .map((candidate) => {
      const other = candidate.toLowerCase();
      return { candidate, far: other.endsWith(`/${lower}`) ? 0 : distance(lower, other) };
    })
    .sort((a, b) => a.far - b.far)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** `"a", "b" or "c"`. */
export function alternatives(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
