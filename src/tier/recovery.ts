/** What the next attempt is told of a failure, when its author does not say. Pure. */
import type { Diagnosis, Fault } from '../protocol/fault.ts';

const ADVICE: Readonly<Record<Exclude<Diagnosis, 'transient' | 'rate-limited'>, string>> = {
  'off-track': 'It answered another question. Answer this one, as it is asked.',
  'out-of-context':
    'It took in too much at once. Work on a smaller part at a time, and leave out what the question does not need.',
  'invalid-output': 'Its answer had the wrong shape. Answer in the shape that is asked for, and in no other.',
  'failed-check': 'Its answer did not pass the check. Mend what the check names before you answer.',
  'missing-knowledge': 'It lacked something. Use what it names if you have it; if you do not, say so as a gap.',
};

/** Never the same for two failures that differ. A transient fault or a rate limit teaches nothing. */
export function enrichmentFor({ status, message, diagnosis }: Fault): string {
  const what = `The last attempt failed (${status}): ${message}`;
  const advice = diagnosis && diagnosis in ADVICE ? ADVICE[diagnosis as keyof typeof ADVICE] : undefined;
  return advice === undefined ? what : `${what}\n${advice}`;
}
