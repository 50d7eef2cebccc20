import { EspalierError } from '../../errors.ts';
import { RunEvent } from '../../protocol/run-event.ts';

/** What a store answers, or why that row of it cannot be read. */
export function readingOf<T>(read: () => T): { value: T } | { fault: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (EspalierError.isInstance(error) && error.code === 'store-fault') return { fault: error.message };
    throw error;
  }
}

/** The event in a stored body; undefined of what is none. */
export function readEvent(body: string): RunEvent | undefined {
  try {
    return RunEvent.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
