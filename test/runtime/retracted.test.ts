/** What a failed attempt has said is taken back, also from those above that had heard it. */
import { describe, expect, it } from 'vitest';
import { CRITICAL, draft, NOTHING_LEFT, tree, world, type World } from '../support/world.ts';

/** Two domains of two leaves. `root/d0/l0` speaks live, fails after `ms`, and finds something else when asked again. */
function retracting(ms: number, faults: readonly string[]): World {
  const w: World = world(
    tree([2, 2]),
    {
      async attempt({ task: { path }, attempt }, { report }) {
        if (path !== 'root/d0/l0') {
          await w.clock.sleep(5_000);
          return draft(path);
        }
        if (attempt > 1) return draft(path, { key: 'second' });
        report(draft(path, { key: 'taken back' }));
        report(draft(path, { key: 'alarm', ...CRITICAL }));
        report(draft(path, { key: 'also taken back' }));
        await w.clock.sleep(ms);
        throw new Error('not so');
      },
    },
    { faults, deadline: 10_000 },
  );
  return w;
}
const idsUnder = (findings: readonly { id: string }[] = []): string[] =>
  findings.flatMap(({ id }) => (id.startsWith('root/d0/l0#') ? id.slice(11) : [])).toSorted();

describe.each([
  ['before it had passed up', 10],
  ['after it had passed up', 1_000],
])('what a failed attempt has said, taken back %s', (_, ms) => {
  it.each([['root/d0=hang'], ['root/d0=throw'], ['root/d0:gather=throw']])(
    '%s: is not in its partial',
    async (fault) => {
      const w = retracting(ms, [fault]);
      const { brief } = await w.run();
      const end = w.endOf('root/d0');
      expect(idsUnder(end.kind === 'failure' ? end.partial?.findings : [])).toEqual(['alarm', 'second']);
      expect(idsUnder(brief.escalations)).toEqual(['alarm']);
      expect(idsUnder(brief.findings)).toEqual(['alarm', 'second']);
      expect(w.leftovers()).toEqual(NOTHING_LEFT);
    },
  );

  it.each([['root=hang'], ['root:gather=throw']])('%s: is not in the brief', async (fault) => {
    const w = retracting(ms, [fault]);
    const { brief } = await w.run();
    expect(idsUnder(brief.findings)).toEqual(['alarm', 'second']);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

it('stands in the partial of a leaf that has not found anything better', async () => {
  const w = world(
    tree([1, 1], { leaf: { attempts: 1 } }),
    {
      attempt({ task }, { report }) {
        report(draft(task.path, { key: 'only this' }));
        throw new Error('no more');
      },
    },
    { faults: ['root/d0=hang'], deadline: 5_000 },
  );
  const { brief } = await w.run();
  expect(brief.findings.map(({ id }) => id)).toEqual(['root/d0/l0#only this']);
});
