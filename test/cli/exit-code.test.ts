import { expect, it } from 'vitest';
import { exitCodeOf } from '../../src/cli/exit-code.ts';

it.each([
  ['complete', false, false, 0],
  ['partial', false, false, 3],
  ['failed', false, false, 1],
  ['failed', true, false, 3], // the first ^C came before the first finding
  ['complete', true, false, 0], // it came too late to matter
  ['complete', false, true, 1],
  ['partial', true, true, 1],
] as const)('%s, cancelled %s, unsaved %s: %d', (status, wasCancelled, isUnsaved, code) => {
  expect(exitCodeOf(status, { wasCancelled, isUnsaved })).toBe(code);
});
