/** What `npm run check:model` walks: nothing reduced where that can be, and 3 × 3 by what others can tell apart. */
import type { Bounds } from './bounds.ts';

export type Configuration = {
  readonly name: string;
  readonly bounds: Bounds;
  /** In the test suite too. */
  readonly isQuick?: true;
};

const TWO_BY_TWO = [[2], [2]];
const THREE_BY_THREE = [[3], [3]];
/** Every state of every domain beside every state of the others, siblings told apart; of a leaf all that others see. */
const FULL = { reduced: 'leaves', symmetric: false } as const;

export const CONFIGURATIONS: readonly Configuration[] = [
  {
    name: '2 × 2, every state of every leaf too',
    bounds: { tiers: TWO_BY_TWO, attempts: 1, reduced: 'nothing', symmetric: false },
  },
  { name: '2 × 2', bounds: { tiers: TWO_BY_TWO, ...FULL } },
  { name: '2 × 2, quorum 1', bounds: { tiers: TWO_BY_TWO, quorum: 1, ...FULL } },
  { name: '2 × 2, leaves in two stages', bounds: { tiers: [[2], [1, 1]], ...FULL } },
  {
    name: '2 × 2, all in two stages',
    bounds: {
      tiers: [
        [1, 1],
        [1, 1],
      ],
      ...FULL,
    },
    isQuick: true,
  },
  { name: '2 × 2, a gather breaks', bounds: { tiers: TWO_BY_TWO, hostFaults: true, ...FULL } },
  { name: '2 × 2, a further round', bounds: { tiers: TWO_BY_TWO, grows: true, ...FULL } },
  { name: '2 × 2, depth for domains alone', bounds: { tiers: TWO_BY_TWO, maxDepth: 1, ...FULL }, isQuick: true },
  { name: '2 × 2, depth for the root alone', bounds: { tiers: TWO_BY_TWO, maxDepth: 0, ...FULL }, isQuick: true },
  { name: '2 × 2, reduced', bounds: { tiers: TWO_BY_TWO }, isQuick: true },
  { name: '3 × 2, up to symmetry', bounds: { tiers: [[3], [2]], reduced: 'leaves' } },
  { name: '2 × 2, attempts may be hedged, reduced', bounds: { tiers: TWO_BY_TWO, hedges: true }, isQuick: true },
  { name: '2 × 2, findings that are not critical, reduced', bounds: { tiers: TWO_BY_TWO, plain: true } },
  { name: '3 × 3, reduced', bounds: { tiers: THREE_BY_THREE } },
  { name: '3 × 3, three attempts, reduced', bounds: { tiers: THREE_BY_THREE, attempts: 3 } },
  { name: '3 × 3, attempts may be hedged, reduced', bounds: { tiers: THREE_BY_THREE, hedges: true } },
  { name: '3 × 3, quorum 2, reduced', bounds: { tiers: THREE_BY_THREE, quorum: 2 } },
  { name: '3 × 3, leaves in two stages, quorum 1, reduced', bounds: { tiers: [[3], [2, 1]], quorum: 1 } },
  {
    name: '3 × 3, all in two stages, quorum 1, reduced',
    bounds: {
      tiers: [
        [2, 1],
        [2, 1],
      ],
      quorum: 1,
    },
  },
  { name: '3 × 3, a gather breaks, reduced', bounds: { tiers: THREE_BY_THREE, hostFaults: true } },
  { name: '3 × 3, a further round, reduced', bounds: { tiers: THREE_BY_THREE, grows: true } },
  { name: '2 × 2 × 2, reduced', bounds: { tiers: [[2], [2], [2]] }, isQuick: true },
  { name: '2 × 2 × 2, depth for two tiers, reduced', bounds: { tiers: [[2], [2], [2]], maxDepth: 2 }, isQuick: true },
];
