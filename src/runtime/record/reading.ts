import { EspalierError } from '../../errors.ts';

/** What a store answers, or why that row of it cannot be read. */
export function readingOf<T>(read: () => T): { value: T } | { fault: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (EspalierError.isInstance(error) && error.code === 'store-fault') return { fault: error.message };
    throw error;
  }
}
