/**
 * What every host owes its callers. No case knows which host it runs on. Most of their time they wait, so those that no
 * margin holds to a time wait together.
 */
import { describe, expect, it } from 'vitest';
import type { OpenHost } from './host/bench.ts';
import { endings } from './host/endings.ts';
import { faults } from './host/faults.ts';
import { interims } from './host/interims.ts';
import { shapes } from './host/shapes.ts';
import { spending } from './host/spending.ts';
import { upward } from './host/upward.ts';

export function hostContract(name: string, open: OpenHost): void {
  describe(name, () => {
    describe.concurrent('whatever else it performs meanwhile', () => {
      shapes(open);
      faults(open);
      upward(open);
      interims(open);
      spending(open);
    });
    endings(open); // who is cut off has so long to conclude, which it must not spend waiting for others

    it('leaves nothing open, whatever became of the runs', async () => {
      await expect.poll(() => open().leftovers(), { timeout: 10_000 }).toEqual([]);
    });
  });
}
