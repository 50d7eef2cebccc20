/** Freezes a value and all that it holds. What is frozen already is taken to be so all the way down. */
export function deepFreeze<T extends object>(value: T): T {
  if (Object.isFrozen(value)) return value;
  // An array needs no copy of itself to be walked.
  for (const inner of Array.isArray(value) ? (value as unknown[]) : Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}

/** The empty list, shared: a report has many, and they need not be made and frozen for each. */
export const NONE: never[] = [];
Object.freeze(NONE);
