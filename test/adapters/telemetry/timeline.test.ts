/** The timeline of a run by lists of its events: what a node did, and what it waited for. */
import { expect, it } from 'vitest';
import {
  createTimeline,
  criticalPathOf,
  type Gathered,
  type LiveNode,
} from '../../../src/adapters/telemetry/timeline.ts';
import type { RunEvent } from '../../../src/protocol/run-event.ts';
import { world } from '../../support/world.ts';

/** The events of a real run of a root over two leaves, at other times: in seconds, by what they are of. */
async function eventsAt(times: Readonly<Record<string, number>>, leaveOut: (event: RunEvent) => boolean = () => false) {
  const run = world([2]);
  await run.run();
  const left = run.events.filter((event) => !leaveOut(event));
  let at = 0;
  return left.map((event): RunEvent => {
    const name = `${event.path.split('/').at(-1)} ${event.type.replace(/^\w+\./, '')}`;
    at = Math.max(at, 1_000 * (times[name] ?? 0));
    return { ...event, at };
  });
}

function told(events: readonly RunEvent[]) {
  const ended = new Map<string, LiveNode>();
  const gathers: Gathered[] = [];
  const timeline = createTimeline({
    ended: (node) => void ended.set(node.path, node),
    gathered: (_, __, gathered) => void gathers.push(gathered),
  });
  for (const event of events) timeline.apply(event);
  expect(timeline.live.size).toBe(0);
  const spent = (path: string) =>
    Object.fromEntries(Object.entries(ended.get(path)?.ms ?? {}).filter(([, ms]) => ms > 0));
  const root = ended.get('root');
  const critical = root ? criticalPathOf(root).map(({ tier, phase, ms }) => `${tier} ${phase} ${ms}`) : [];
  return { spent, gathers, critical };
}

it('gives every instant of a node to one phase', async () => {
  const times = { 'root planned': 1, 'l1 started': 2, 'l0 reported': 4, 'l1 reported': 7, 'root reported': 10 };
  const { spent, gathers, critical } = told(await eventsAt(times));
  expect(spent('root')).toEqual({ planning: 1_000, gathering: 6_000, synthesis: 3_000 });
  expect(gathers).toMatchObject([{ stage: 0, children: 2, ms: 6_000, waitMs: 3_000, isCutOff: false }]);
  expect(gathers[0]?.slowest?.name).toBe('l1');
  const total = critical.reduce((sum, part) => sum + Number(part.split(' ')[2]), 0);
  expect(total).toBe(10_000);
});

it('takes what a gather does before and after its children for its owner’s', async () => {
  // The second leaf never ends, as far as anybody was told; its owner does, six seconds after the first.
  const events = await eventsAt({ 'l0 started': 3, 'l0 reported': 5, 'root reported': 11 });
  const { critical, gathers } = told(events.filter(({ path }) => path !== 'root/l1'));
  expect(gathers).toMatchObject([{ isCutOff: true, ms: 11_000 }]);
  expect(critical).toEqual(['root planning 3000', 'root synthesis 6000', 'leaf work 2000']);
});

it('does not wait for a child whose end was taken over', async () => {
  const events = (await eventsAt({ 'l0 started': 1, 'l0 reported': 5 })).flatMap((event): RunEvent[] => {
    if (event.path !== 'root/l1') return [event];
    if (event.type !== 'node.reported') return [];
    const { v, runId, seq, at, path, tier, report } = event;
    return [{ v, runId, seq, at, path, tier, type: 'node.reused', status: report.status, digest: report.digest }];
  });
  const { gathers } = told(events);
  expect(gathers).toMatchObject([{ children: 2, isCutOff: false, waitMs: 4_000 }]);
  expect(gathers[0]?.slowest?.name).toBe('l0');
});

it('takes a leaf that asked for no slot for logic of the caller’s own: all of its time is work', async () => {
  const events = await eventsAt(
    { 'l0 reported': 5 },
    ({ type, path }) => path === 'root/l0' && type === 'attempt.started',
  );
  expect(told(events).spent('root/l0')).toEqual({ work: 5_000 });
});

it('takes no time for less than none where the clocks of workers differ', async () => {
  const behind: Record<string, number> = { 'node.reported': 3_000 };
  const events = (await eventsAt({ 'root planned': 5, 'root reported': 4 })).map((event): RunEvent => {
    if (event.path === 'root') return event.type === 'node.reported' ? { ...event, at: 4_000 } : event;
    return { ...event, at: behind[event.type] ?? 2_000 };
  });
  const { gathers, critical } = told(events);
  expect(gathers).toMatchObject([{ ms: 0, savedMs: 2_000, waitMs: 0 }]); // both worked for a second
  expect(critical).toEqual(['root planning 5000', 'root synthesis 1000', 'leaf work 1000']);
});
