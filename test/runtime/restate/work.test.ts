/** Work that tells more than the server takes in one piece. */
import { describe, expect, it } from 'vitest';
import { MOST_RESULT_BYTES } from '../../../src/runtime/restate/piece-size.ts';
import { Workshop, type Job } from '../../../src/runtime/restate/work.ts';

type Told = { text: string } | object;
const part = (share: number, letter: string): Told => ({ text: letter.repeat(Math.floor(MOST_RESULT_BYTES * share)) });
const jobOf = (start: Job<Told>['start']): Job<Told> => ({
  path: 'root/l',
  deadline: Date.now() + 60_000,
  budget: {},
  start,
});
const workshop = new Workshop<Told>((alert) => alert);

describe('what work tells', () => {
  const many = jobOf(async ({ tell }) => {
    for (const letter of 'abcde') tell(part(0.45, letter), false);
    return 'done';
  });
  const lettersOf = (told: readonly { told: Told }[]) =>
    told.map((one) => ('text' in one.told ? one.told.text[0] : ''));

  it('is cut into slices that can travel, in its order; the end is in the last, and a slice is the same when asked again', async () => {
    const slices = [];
    for (let number = 1; number <= 3; number++) slices.push(await workshop.slice('many', many, number, 1_000));
    expect(slices.map(({ told }) => lettersOf(told))).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(slices.map(({ end }) => end)).toEqual([undefined, undefined, { value: 'done' }]);
    expect(await workshop.slice('many', many, 3, 1_000)).toBe(slices[2]);
    workshop.forget('many');
  });

  it('is told to its last when the work is ended from outside', async () => {
    const hangs = jobOf(({ tell }) => {
      for (const letter of 'xyz') tell(part(0.9, letter), true);
      return new Promise(() => {});
    });
    const first = await workshop.slice('hangs', hangs, 1, 1_000);
    const more = [];
    for (let number = 2; number <= 3; number++) {
      more.push(await workshop.close('hangs', number, { status: 'cancelled', message: 'over' }));
    }
    expect([first, ...more].map(({ told }) => lettersOf(told))).toEqual([['x'], ['y'], ['z']]);
    expect([first, ...more].map(({ end }) => end)).toEqual([undefined, undefined, { isAborted: true }]);
    workshop.forget('hangs');
  });

  it('is refused when it cannot travel at all, so that its author hears of it', async () => {
    const tooMuch = jobOf(async ({ tell }) => tell(part(1.1, 'x'), false));
    const { told, end } = await workshop.slice('much', tooMuch, 1, 1_000);
    expect(told).toEqual([]);
    expect(end).toMatchObject({
      fault: { message: expect.stringMatching(/^What was reported has \d+ bytes, and \d+ can travel/) },
    });
    workshop.forget('much');
  });
});
