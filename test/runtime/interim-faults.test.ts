import { expect, it, vi } from 'vitest';
import * as interim from '../../src/tier/interim.ts';
import { interimsOf } from '../support/interim-invariants.ts';
import { slowWorld } from '../support/interrupted.ts';
import { NOTHING_LEFT, tree } from '../support/world.ts';

let makeFails = true;
let endFails = false;
vi.mock('../../src/tier/interim.ts', async (original) => {
  const own = await original<typeof interim>();
  const failing =
    <Args extends unknown[], Result>(step: (...args: Args) => Result, fails: () => boolean) =>
    (...args: Args): Result => {
      if (fails()) throw new Error('no interim today');
      return step(...args);
    };
  return {
    ...own,
    makeInterim: failing(own.makeInterim, () => makeFails),
    interimEnded: failing(own.interimEnded, () => endFails),
  };
});

const latency = (path: string): number => 300 * (1 + Number(path.at(-1)));

it.each([
  ['made', true, false],
  ['kept up to date', false, true],
])('a fault when one is to be %s is an event, nothing else', async (_, make, end) => {
  [makeFails, endFails] = [make, end];
  const plain = await slowWorld(tree([2, 3]), latency).run();
  const w = slowWorld(tree([2, 3]), latency, { synthesis: 'incremental' });
  const { brief } = await w.run();
  expect(brief.digest).toBe(plain.brief.digest);
  const faults = w.eventsOf('interim.failed');
  expect(faults.length).toBeGreaterThan(0);
  expect(faults[0]?.fault).toEqual({ status: 'error', message: 'no interim today' });
  expect(interimsOf(w.events)).toEqual([]);
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
});

it('after a fault the next one is made, whoever had asked for it', async () => {
  [makeFails, endFails] = [true, false];
  const ms = [300, 400, 900, 1_500];
  const w = slowWorld(tree([4]), (path) => ms[Number(path.at(-1))] ?? 0, { synthesis: 'incremental' });
  w.clock.setTimeout(() => (makeFails = false), 700);
  await w.run();
  expect(w.eventsOf('interim.failed').map(({ at }) => at)).toEqual([300, 550]);
  expect(interimsOf(w.events).map(({ at }) => at)).toEqual([900]);
});
