import fc from 'fast-check';
import { expect, it } from 'vitest';
import { layTickets, takeUpTickets, type Ticket } from '../../../src/runtime/restate/laid-tickets.ts';

const holders = ['root/a 0', 'root/a 1', 'root/a/leaf'];
const tickets: fc.Arbitrary<Ticket[]> = fc.array(
  fc
    .record({
      holder: fc.constantFrom(...holders),
      n: fc.nat(),
      pools: fc.subarray(['db', 'x']),
      estimate: fc.option(fc.nat()),
      since: fc.option(fc.nat()),
    })
    .map(({ holder, n, pools, estimate, since }) => ({
      id: n % 3 === 0 ? holder : `${holder}#${n}`,
      holder,
      pools,
      estimateMs: estimate ?? undefined,
      ...(since !== null && { since }),
    })),
);

it('tickets that are laid down as JSON are taken up as they were, in their order', () => {
  fc.assert(
    fc.property(tickets, (all) => {
      expect(takeUpTickets(JSON.parse(JSON.stringify(layTickets(all))))).toEqual(all);
    }),
    { numRuns: 100 },
  );
});
