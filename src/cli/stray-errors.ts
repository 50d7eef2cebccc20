import { oneLine } from './misuse.ts';

/** A leaf's stray error must not end the run of its siblings: it is said, and the run goes on. Returns what ends that. */
export function onStrayError(say: (text: string) => void): () => void {
  const listener = (error: unknown): void => say(`Stray error, the run goes on: ${oneLine(error)}`);
  process.on('uncaughtException', listener).on('unhandledRejection', listener);
  return () => process.off('uncaughtException', listener).off('unhandledRejection', listener);
}
