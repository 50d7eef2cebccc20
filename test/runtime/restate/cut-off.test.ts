import { describe, expect, it } from 'vitest';
import type { RunEventBody } from '../../../src/protocol/run-event.ts';
import { CutOff, withoutPartials } from '../../../src/runtime/restate/cut-off.ts';
import { memoryStore, run } from '../../../src/index.ts';
import { readEvent } from '../../../src/runtime/record/reading.ts';
import { domain, leaf, said, scenarioOf } from '../../contracts/host/bench.ts';

/** What a run says of `root/d` with two leaves, and of `root/e`, until the second leaf has said something. */
async function told(): Promise<RunEventBody[]> {
  const store = memoryStore();
  const leaves = [leaf('l0'), leaf('l1', { run: ({ task }) => said(task.path, { key: 'late' }) })];
  const { runId } = await run(scenarioOf([domain('d', leaves), domain('e', [leaf('l')])]), { store });
  const events = [...store.events(runId)].flatMap(({ body }) => readEvent(body) ?? []);
  return events.filter(({ type, path }) => type !== 'node.reported' || !['root', 'root/d', 'root/d/l1'].includes(path));
}
const cutOffBy = async (lost: string) => {
  const below = new CutOff(lost);
  for (const event of await told()) below.see(event, 5);
  return below.ends('run', 9);
};
const tokensOf = (ends: Awaited<ReturnType<typeof cutOffBy>>) =>
  ends.map(({ event }) => (event.type === 'node.failed' ? event.token : undefined));

describe('the nodes below one that is lost', () => {
  it('have ended with it, if they had not before: the deepest first, with what they had said', async () => {
    const ends = await cutOffBy('root');
    expect(ends.map(({ at, event }) => [at, event.path])).toEqual([
      [9, 'root/d/l1'],
      [9, 'root/d'],
    ]);
    const [leafEnd, domainEnd] = tokensOf(ends);
    expect(leafEnd).toMatchObject({
      status: 'cancelled',
      message: 'cut off: the node above it had ended',
      elapsedMs: 4,
    });
    expect(leafEnd?.partial?.findings.map(({ id }) => id)).toEqual(['root/d/l1#late']);
    expect(domainEnd?.partial?.findings).toHaveLength(2);
  });

  it('are none beside it, nor itself', async () => {
    expect((await cutOffBy('root/d')).map(({ event }) => event.path)).toEqual(['root/d/l1']);
    expect(await cutOffBy('root/d/l1')).toEqual([]);
    expect(await cutOffBy('root/e')).toEqual([]);
  });

  it('leave no partial where that is too much', async () => {
    const tokens = tokensOf(withoutPartials(await cutOffBy('root')));
    expect(tokens.map((token) => token && 'partial' in token)).toEqual([false, false]);
  });
});
