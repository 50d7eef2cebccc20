/** Whose reading the rules look at, and how they say from where they know. */
import type { Domain, Leaf, Scenario } from '../../define/spec.ts';

export const AS_SHOWN = 'as far as its text shows';
export const AS_OBSERVED = 'as the rehearsal observed';

type AnyFunction = (...args: never) => unknown;

/** The functions of a node that are given a context with reports or sources in it. */
export function codeOf(definition: Leaf | Domain | Scenario): AnyFunction[] {
  const code: (AnyFunction | undefined)[] =
    definition.kind === 'leaf' ? [definition.run] : [definition.execute, definition.synthesize];
  return code.filter((one) => one !== undefined);
}
