/** A running tree can be written down as JSON, for inspectors. */
import { expect, it } from 'vitest';
import type { AnyActorRef } from 'xstate';
import { world } from '../support/world.ts';

it('every actor of a run can be written down at any moment', async () => {
  let written = 0;
  const w = world(
    [2, 2],
    {},
    {
      onEvent() {
        for (const actor of w.actors) {
          const isMade = (actor as AnyActorRef & { _snapshot?: unknown })._snapshot !== undefined;
          if (!isMade) continue;
          expect(JSON.parse(JSON.stringify(actor.getPersistedSnapshot()))).toHaveProperty('status');
          written++;
        }
      },
    },
  );
  await w.run();
  expect(written).toBeGreaterThan(100);
});
