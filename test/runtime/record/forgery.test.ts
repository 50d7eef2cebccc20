/** What is found when somebody has made everything fit again, as far as it can be without a key. */
import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import type { Report } from '../../../src/protocol/report.ts';
import type { RunEvent } from '../../../src/protocol/run-event.ts';
import { start } from '../../../src/runtime/in-process/start.ts';
import { fingerprintOf, signed } from '../../../src/runtime/record/signature.ts';
import { verifyRun } from '../../../src/runtime/record/verify.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { eventsOf, forged, recordOf, rewritten, storeOf, withOwnReceipt } from '../../support/records.ts';
import type { StoredRecord } from '../../support/records.ts';
import { CRITICAL, draft, tree } from '../../support/world.ts';

const own = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const LOUD = 'root/d0/l1';
const ID = `${LOUD}#said`;

let genuine: StoredRecord;
beforeAll(async () => {
  const store = memoryStore();
  const clock = new VirtualClock();
  const leaf = {
    run: ({ task: { path } }: { task: { path: string } }) => draft(path, path === LOUD ? { ...CRITICAL } : {}),
  };
  await clock.run(start(tree([2, 2], { leaf }), { runId: 'run', store, clock, signingKey: own.privateKey }).result);
  genuine = recordOf(store, 'run');
});

const problemsOf = (record: StoredRecord, key = own.publicKey): string[] =>
  verifyRun(storeOf(record), 'run', { key }).problems.map(({ message }) => message);
const without = (body: Report, place: 'findings' | 'escalations'): void => {
  body[place] = body[place].filter(({ id }) => id !== ID);
};
const hush = (where: string) => (body: Report) => {
  if (where !== body.path) return;
  without(body, 'findings');
  without(body, 'escalations');
};

it('is verified as signed by its key when nothing was forged', () => {
  expect(verifyRun(storeOf(genuine), 'run', { key: own.publicKey })).toEqual({
    problems: [],
    checked: { events: genuine.events.length, nodes: 7, findings: 4, criticals: 1 },
    isFinished: true,
    signedBy: fingerprintOf(own.publicKey),
  });
});

describe('a critical finding taken out, with every digest and checksum made to fit', () => {
  it.each(['root', 'root/d0', LOUD])('of the report of %s', (path) => {
    expect(problemsOf(forged(genuine, hush(path)))[0]).toBe(
      `${path}: the critical finding ${ID} is missing from its escalations.`,
    );
  });

  it('of the findings alone', () => {
    const record = forged(genuine, (body) => body.path === 'root' && without(body, 'findings'));
    expect(problemsOf(record)[0]).toBe(`root: the critical finding ${ID} is missing from its findings.`);
  });

  it('everywhere, as if it had never been said', () => {
    const record = forged(genuine, (body) => hush(body.path)(body));
    const silent = eventsOf(record).filter((event) => !('finding' in event && event.finding.id === ID));
    expect(problemsOf(rewritten(record, silent))).toEqual([
      'The run: its brief is not what its receipt was given for: it says something else.',
      `The run: its receipt was given for ${genuine.events.length} events, and there are ${silent.length}.`,
      `The run: the critical finding ${ID} of its receipt is missing.`,
    ]);
  });
});

describe('a finding altered, with every digest and checksum made to fit', () => {
  const soften = (finding: { id: string; statement: string }): void => {
    if (finding.id === ID) finding.statement = 'All is well';
  };
  it.each(['root', 'root/d0', LOUD])('in the report of %s', (path) => {
    const record = forged(genuine, (body) => body.path === path && body.findings.forEach(soften));
    expect(problemsOf(record)[0]).toBe(`${path}: the finding ${ID} in its report is not as it was reported.`);
  });

  it('in what was escalated live', () => {
    const events = eventsOf(genuine);
    for (const event of events) if (event.type === 'finding.escalated') soften(event.finding);
    expect(problemsOf(rewritten(genuine, events))[0]).toBe(
      `${LOUD}: the critical finding ${ID} was not escalated as it was reported.`,
    );
  });

  it('one that is not critical, on its way up', () => {
    const record = forged(genuine, (body) => {
      for (const one of body.findings) if (body.path === 'root/d1' && one.path === 'root/d1/l0') one.value = 99;
    });
    expect(problemsOf(record)[0]).toBe('root/d1: the finding root/d1/l0#said in its report is not as it was reported.');
  });
});

describe('a log with every checksum made to fit', () => {
  const at = (found: (event: RunEvent) => boolean): number => eventsOf(genuine).findIndex(found);
  const end = (path: string): number => at((event) => event.type === 'node.reported' && event.path === path);

  it('of which an outcome was altered, without its digest', () => {
    const events = eventsOf(genuine);
    const event = events[end('root/d1/l1')];
    if (event?.type === 'node.reported') event.report.narrative += '!';
    expect(problemsOf(rewritten(genuine, events))[0]).toBe('root/d1/l1: its digest is not that of what it ended with.');
  });

  it('of which an outcome was altered, with its digest alone', () => {
    const record = forged(genuine, (body) => {
      if (body.path === 'root/d1/l1') body.narrative += '!';
    });
    const events = eventsOf(record);
    const above = eventsOf(genuine);
    for (const path of ['root/d1', 'root']) events[end(path)] = above[end(path)] as RunEvent;
    expect(problemsOf(rewritten(record, events))[0]).toBe(
      'root/d1: its child root/d1/l1 did not end with what it was given.',
    );
  });

  it('of which an event was left out', () => {
    const gone = at((event) => event.type === 'node.reported' && event.path === 'root/d1/l1');
    const events = genuine.events.filter((_, i) => i !== gone);
    const [first] = problemsOf({ ...genuine, events });
    expect(first).toBe(`root/d1/l1: event ${gone} is missing.`);
  });

  it('whose end was left out', () => {
    const events = genuine.events.slice(0, -2);
    expect(problemsOf({ ...genuine, events })).toContain('The run: it has a receipt, and its log has no end.');
  });

  it('in which two events have changed places', () => {
    const events = structuredClone(genuine.events);
    const [a, b] = [events[end('root/d0/l0')], events[end('root/d1/l1')]];
    if (a && b) [a.seq, b.seq] = [b.seq, a.seq];
    expect(problemsOf({ ...genuine, events })[0]).toMatch(/^root\/d1\/l1: event \d+ \(node.reported\)/);
  });

  it('to which an event was added', () => {
    const events = eventsOf(genuine);
    events.splice(3, 0, {
      ...(events[3] as RunEvent),
      type: 'node.invalidated',
      path: LOUD,
      why: 'I say so',
    } as RunEvent);
    expect(problemsOf(rewritten(genuine, events))).toContainEqual(
      expect.stringMatching(/^The run: its receipt was given for \d+ events, and there are \d+\.$/),
    );
  });
});

describe('a receipt made anew without the key', () => {
  const fake = (): StoredRecord => withOwnReceipt(forged(genuine, (body) => void (body.narrative = 'All is well')));
  const withReceipt = (record: StoredRecord, change: object): StoredRecord => {
    const { receipt } = record.run;
    if (!receipt) throw new Error('a run that has ended has a receipt');
    return { ...record, run: { ...record.run, receipt: { ...receipt, ...change } } };
  };

  it('fits when nobody asks for a signature: whoever can rewrite everything can make it consistent', () => {
    expect(verifyRun(storeOf(fake()), 'run')).toMatchObject({ problems: [] });
  });

  it('is found, unsigned', () => {
    expect(problemsOf(fake())).toEqual([
      `The run: its receipt is not signed, and was to be by ${fingerprintOf(own.publicKey)}.`,
    ]);
  });

  it('is found, with the old signature', () => {
    const signature = genuine.run.receipt?.signature;
    expect(problemsOf(withReceipt(fake(), { signature }))).toEqual([
      'The run: the signature of its receipt is not valid.',
    ]);
  });

  it('is found, signed with another key', () => {
    const record = fake();
    if (record.run.receipt) record.run.receipt = signed(record.run.receipt, other.privateKey);
    expect(problemsOf(record)).toEqual([
      `The run: its receipt is signed by ${fingerprintOf(other.publicKey)}, not by ${fingerprintOf(own.publicKey)}.`,
    ]);
  });

  it('is found, when it is missing altogether', () => {
    const { receipt: _, ...run } = genuine.run;
    expect(problemsOf({ ...genuine, run })).toEqual(['The run: its receipt is missing.']);
  });

  it('is found, when it cannot be read', () => {
    expect(problemsOf(withReceipt(genuine, { criticals: 3 }))).toEqual(['The run: its receipt cannot be read.']);
  });
});

it.each<[string, (record: StoredRecord) => void]>([
  ['number of events', ({ run }) => void run.events++],
  ['last checksum', ({ run }) => void (run.head = run.head.replaceAll(/^./g, 'x'))],
  ['state', ({ run }) => void (run.state = 'partial')],
  ['end', ({ run }) => void (run.endedAt = 1)],
  ['scenario', (record) => void (record.filedUnder = record.run.scenario = 'another')],
  ['thesis', ({ run }) => void (run.thesis = 'It does not hold')],
  ['version', ({ run }) => void (run.hostVersion = '9')],
  ['depth limit', ({ run }) => void (run.options.maxDepth = 9)],
  ['concurrency', ({ run }) => void (run.options.concurrency = 99)],
  ['as-of date', ({ run }) => void (run.options.asOf = '2001-01-01')],
  ['start or deadline', ({ run }) => void (run.startedAt = 7)],
  ['start or deadline', ({ run }) => void (run.options.deadlineMs = 7)],
])('finds another %s in the row of the run', (what, change) => {
  const record = structuredClone(genuine);
  change(record);
  expect(problemsOf(record)).toContain(`The run: its ${what} is not what its events say.`);
});

it('finds a run that is filed under another scenario', () => {
  expect(problemsOf({ ...genuine, filedUnder: 'another' })).toEqual([
    'The run: it is filed under another scenario, state or start.',
  ]);
});
