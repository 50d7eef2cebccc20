import { diag } from '@opentelemetry/api';

/** What a step gives, or nothing: what telemetry cannot do must not harm the run. */
export function harmless<Result>(step: () => Result): Result | undefined {
  try {
    return step();
  } catch (error) {
    try {
      diag.warn(`espalier: telemetry failed: ${String(error)}`);
    } catch {
      // nobody left to tell
    }
    return undefined;
  }
}
