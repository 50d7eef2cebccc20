import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import type { Store, StoredNode } from '../../../src/ports/store.ts';
import { parentOf } from '../../../src/protocol/path.ts';
import { start } from '../../../src/runtime/in-process/start.ts';
import { briefText, verifyBrief } from '../../../src/runtime/record/verify-brief.ts';
import { verifyRun } from '../../../src/runtime/record/verify.ts';
import type { RunOutcome } from '../../../src/runtime/run.ts';
import { rehearse } from '../../../src/testing/rehearsal.ts';
import { parseRehearsedFault } from '../../../src/testing/rehearsed-fault.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { DEADLINE, randomRun, runCase, type RunCase } from '../../support/random-runs.ts';
import { recordOf, storeOf, type StoredRecord } from '../../support/records.ts';

/** At which event of its part the process ends; the run is taken up again after each. */
type Interruptions = readonly number[];

async function stored(drawn: RunCase, interruptions: Interruptions): Promise<{ store: Store; outcome?: RunOutcome }> {
  const clock = new VirtualClock();
  const store = memoryStore();
  const { scenario, faults } = randomRun(drawn, clock);
  let outcome: RunOutcome | undefined;
  for (const [part, last] of [...interruptions, Infinity].entries()) {
    let heard = 0;
    const handle = start(scenario, {
      ...(part === 0 ? { runId: 'run' } : { resume: 'run' }),
      ...rehearse(faults.map(parseRehearsedFault), clock),
      store,
      clock,
      concurrency: drawn.concurrency,
      onEvent() {
        if (++heard === last) handle.stop();
      },
    });
    outcome = await clock.run(handle.result.catch(() => undefined));
    if (part === interruptions.length) break;
    expect(verifyRun(store, 'run').problems).toEqual([]);
    await clock.advance(2 * DEADLINE);
  }
  return { store, ...(outcome && { outcome }) };
}

/** Where a character is changed, and to what: numbers below 1, of whatever length there is. */
type Place = { row: number; at: number };
const share = fc.noBias(fc.nat({ max: 999_999 })).map((n) => n / 1_000_000);
const place: fc.Arbitrary<Place> = fc.record({ row: share, at: share });
const pick = <T>(rows: readonly T[], share: number): T => rows[Math.floor(share * rows.length)] as T;
function changed(text: string, share: number): string {
  const at = Math.floor(share * text.length);
  return `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ 1)}${text.slice(at + 1)}`;
}

/** Each alters one thing, and says whose it was. */
const TAMPER = {
  'the body of an event': ({ events }, { row, at }) => {
    const event = pick(events, row);
    event.body = changed(event.body, at);
    return event.path;
  },
  'the path of an event': ({ events }, { row, at }) => {
    const event = pick(events, row);
    const { path } = event;
    event.path = changed(path, at);
    return path;
  },
  'the type of an event': ({ events }, { row, at }) => {
    const event = pick(events, row);
    event.type = changed(event.type, at) as never;
    return event.path;
  },
  'the checksum of an event': ({ events }, { row, at }) => {
    const event = pick(events, row);
    event.checksum = changed(event.checksum, at);
    return event.path;
  },
  'the number of an event': ({ events }, { row, at }) => {
    const event = pick(events, row);
    event.seq = events.length + Math.floor(at * 1_000);
    return event.seq === events.length && row === events.length - 1 ? undefined : event.path;
  },
  'what the index says of a node': ({ nodes }, { row, at }) => {
    const node = pick(nodes, row);
    const before = JSON.stringify(JSON.parse(node.body));
    node.body = changed(node.body, at);
    return isSameJson(before, node.body) ? undefined : node.path; // a digit beyond what a number holds
  },
  'the path of a node in the index': ({ nodes }, { row, at }) => {
    const node = pick(nodes, row);
    const { path } = node;
    node.path = changed(path, at);
    return path;
  },
  'the parent of a node in the index': ({ nodes }, { row, at }) => {
    const node = pick(nodes, row);
    node.parent = changed(node.parent, at);
    return node.parent === parentOf(node.path) ? undefined : node.path;
  },
} satisfies { [what: string]: (record: StoredRecord, place: Place) => string | undefined };

function isSameJson(before: string, text: string): boolean {
  try {
    return JSON.stringify(JSON.parse(text) as StoredNode) === before;
  } catch {
    return false;
  }
}

const RUNS = Number(process.env['FC_RUNS'] ?? 300);
const SEED = Number(process.env['FC_SEED'] ?? 20_081_115);

// XState warns, in development, of each message to an actor that has just been stopped.
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

describe('a stored run of any tree', { timeout: 120_000 }, () => {
  it('is verified as it is, and any character that is changed is named with its node', async () => {
    const whats = Object.keys(TAMPER) as (keyof typeof TAMPER)[];
    const what = fc.oneof(fc.constant('the body of an event' as const), fc.constantFrom(...whats));
    const found = new Map(whats.map((one) => [one, 0]));
    await fc.assert(
      fc.asyncProperty(runCase, what, place, async (drawn, what, where) => {
        const { store } = await stored(drawn, []);
        expect(verifyRun(store, 'run')).toMatchObject({ problems: [], isFinished: true });
        const record = recordOf(store, 'run');
        const path = TAMPER[what](record, where);
        if (path === undefined) return;
        const { problems } = verifyRun(storeOf(record), 'run');
        expect([what, problems[0]?.path]).toEqual([what, path]);
        found.set(what, (found.get(what) ?? 0) + 1);
      }),
      { seed: SEED, numRuns: RUNS },
    );
    expect(Math.min(...found.values())).toBeGreaterThan(0); // each was tried
  });

  it('is verified when it was interrupted, and when it was resumed, to the brief away from the store', async () => {
    const interruptions = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(runCase, interruptions, async (drawn, at) => {
        const { store, outcome } = await stored(drawn, at);
        expect(verifyRun(store, 'run')).toMatchObject({ problems: [], isFinished: true });
        if (!outcome) throw new Error('a run that is not stopped delivers');
        const receipt = store.run('run')?.receipt;
        const events = Array.from(store.events('run'), ({ body }) => body);
        expect(verifyBrief(briefText(outcome.brief), { receipt, events }).problems).toEqual([]);
      }),
      { seed: SEED, numRuns: Math.ceil(RUNS / 6) },
    );
  });
});
