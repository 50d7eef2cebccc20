import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import type { Receipt } from '../../../src/protocol/receipt.ts';
import { start } from '../../../src/runtime/in-process/start.ts';
import { fingerprintOf } from '../../../src/runtime/record/signature.ts';
import { briefText, verifyBrief } from '../../../src/runtime/record/verify-brief.ts';
import { rehearse } from '../../../src/testing/rehearsal.ts';
import { parseRehearsedFault } from '../../../src/testing/rehearsed-fault.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { CRITICAL, draft, tree } from '../../support/world.ts';

const [TAB, SPACE] = [9, 32];
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
type Given = { text: string; receipt: Receipt; events: string[] };

async function given(faults: readonly string[] = []): Promise<Given> {
  const store = memoryStore();
  const clock = new VirtualClock(1_700_000_000_000);
  const scenario = tree([2, 2], {
    leaf: { run: ({ task, report }) => (report(draft(task.path, CRITICAL)), clock.sleep(50).then(() => [])) },
  });
  const rehearsed = rehearse(faults.map(parseRehearsedFault), clock);
  const options = { ...rehearsed, runId: 'run', store, clock, signingKey: privateKey };
  const { brief } = await clock.run(start(scenario, options).result);
  const receipt = store.run('run')?.receipt;
  if (!receipt) throw new Error('a run that has ended has a receipt');
  return { text: briefText(brief), receipt, events: Array.from(store.events('run'), ({ body }) => body) };
}
let whole: Given;
beforeAll(async () => {
  whole = await given();
});
const messages = (text: string, options: Parameters<typeof verifyBrief>[1]): string[] =>
  verifyBrief(text, options).problems.map(({ message }) => message);

it('verifies a brief, its receipt and its events', () => {
  const { text, ...rest } = whole;
  const checked = { events: rest.events.length, nodes: 7, findings: 4, criticals: 4 };
  const verified = { problems: [], checked, isFinished: true, signedBy: fingerprintOf(publicKey) };
  expect(verifyBrief(text, { ...rest, key: publicKey })).toEqual(verified);
});

it('verifies the brief of a root that died, whose report no event holds', async () => {
  const { text, ...rest } = await given(['root=hang', 'root/d0/l0=throw']);
  expect(messages(text, { ...rest, key: publicKey })).toEqual([]);
});

it('finds any byte of the brief that is changed, with its receipt alone', () => {
  const { text, receipt } = whole;
  const bytes = new TextEncoder().encode(text);
  const unseen: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] = changed[at] === SPACE ? TAB : (changed[at] ?? 0) ^ 1;
    if (messages(new TextDecoder().decode(changed), { receipt }).length === 0) unseen.push(at);
  }
  expect(unseen).toEqual([]);
});

it('finds a changed time by the receipt, which the digest leaves out', () => {
  const { text, receipt } = whole;
  const later = text.replace('"endedAt": 1700000', '"endedAt": 1800000');
  expect(later).not.toBe(text);
  expect(messages(later, {})).toEqual([]);
  expect(messages(later, { receipt })).toEqual([
    'The run: its brief is not what its receipt was given for: its run or its times differ.',
  ]);
});

it.each([
  ['a line', (events: string[]) => events.splice(5, 1)],
  ['the last line', (events: string[]) => events.pop()],
  ['half of a line', (events: string[]) => events.push(events.pop()?.slice(0, 40) ?? '')],
])('finds %s that is missing from its events', (_, cut) => {
  const { text, receipt } = whole;
  const events = [...whole.events];
  cut(events);
  expect(messages(text, { receipt, events })).not.toEqual([]);
});

it('finds events of another run, and names an altered event by its node', () => {
  const { text, receipt } = whole;
  const others = whole.events.map((line) => line.replaceAll('"runId":"run"', '"runId":"ruin"'));
  expect(messages(text, { receipt, events: others })[0]).toBe('root: event 0 (run.started) is of run ruin.');
  const altered = whole.events.map((line) => line.replaceAll('Said by root/d1/l0', 'Said by nobody'));
  expect(messages(text, { receipt, events: altered })[0]).toMatch(/^root\/d1\/l0: its digest is not/);
});

it('says of what is no brief that it cannot be read, and of a key that nothing is signed', () => {
  expect(messages('{"kind":"report"}', {})).toEqual([
    'The run: its brief cannot be read: it is not the JSON of a report.',
  ]);
  expect(messages(whole.text, { key: publicKey })).toEqual([
    'The run: no receipt lies beside its brief, so whose signature it bears cannot be told.',
  ]);
});
