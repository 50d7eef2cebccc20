import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../../src/check/check.ts';
import { SEVERITIES } from '../../src/check/remark.ts';
import { registryOf } from '../../src/activities/registry.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { randomRun, runCase } from '../support/random-runs.ts';

test('any scenario can be checked: every remark is about a node of it, in order, and the same twice', () => {
  fc.assert(
    fc.property(runCase, (drawn) => {
      const { scenario, uttered } = randomRun(drawn, new VirtualClock());
      const remarks = check(scenario);
      const paths = registryOf(scenario, '');
      expect(remarks.filter(({ path }) => !paths.has(path))).toEqual([]);
      const order = remarks.map(({ severity }) => SEVERITIES.indexOf(severity));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(remarks.filter(({ message }) => !/^[A-Z0-9].*\.$/.test(message))).toEqual([]);
      expect(check(scenario)).toEqual(remarks);
      expect(uttered).toEqual([]); // nothing of the scenario's own has run
    }),
    { numRuns: 300 },
  );
});
