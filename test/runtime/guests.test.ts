/** Children of the caller's own logic: whatever they do, they harm nobody. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromCallback, fromPromise, setup, type AnyActorLogic, type AnyActorRef, type AnyEventObject } from 'xstate';
import type { Finding } from '../../src/protocol/finding.ts';
import { guestAt, guestFinding, guestReport, logicOf, telling } from '../support/guests.ts';
import { CRITICAL, MINUTES_8, never, NOTHING_LEFT, reportOf, world } from '../support/world.ts';

// XState warns, in development, of a message to a guest that has stopped itself.
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

const boom = (): never => {
  throw new Error('boom');
};
const poisoned = (key: string): object =>
  Object.defineProperty({ ...guestReport('root/l1') }, key, { get: boom, enumerable: true });
const cyclic: { data?: unknown } = {};
cyclic.data = cyclic;
let deep: unknown = 'bottom';
for (let i = 0; i < 100_000; i++) deep = [deep];

const ending = (output: unknown): AnyActorLogic => fromPromise(async () => output);
const rejecting = (error: unknown): AnyActorLogic =>
  fromPromise(async () => {
    throw error as Error;
  });
const withFindings = (findings: unknown): unknown => ({ ...guestReport('root/l1'), findings });

const bad: Record<string, [AnyActorLogic, string]> = {
  'throws in getInitialSnapshot': [logicOf({ getInitialSnapshot: boom }), 'error'],
  'throws in start': [logicOf({ start: boom }), 'error'],
  'throws in transition': [
    logicOf({
      start: (_: unknown, { self }: { self: AnyActorRef }) => queueMicrotask(() => self.send({ type: 'go' })),
      transition: boom,
    }),
    'error',
  ],
  'throws when it is told of its deadline': [
    logicOf({ transition: (s: unknown, { type }: AnyEventObject) => (type === 'tier.deadline' ? boom() : s) }),
    'error',
  ],
  'throws when it is stopped': [
    logicOf({ transition: (s: unknown, { type }: AnyEventObject) => (type === 'xstate.stop' ? boom() : s) }),
    'timeout',
  ],
  'is a machine whose action throws': [setup({}).createMachine({ entry: boom }), 'error'],
  'is no logic at all': [{} as AnyActorLogic, 'error'],
  rejects: [rejecting(new Error('boom')), 'error'],
  'rejects with undefined': [rejecting(undefined), 'error'],
  'rejects with a text': [rejecting('boom'), 'error'],
  'rejects with an unprintable thing': [rejecting(Object.create(null)), 'error'],
  'rejects with an error whose message throws': [
    rejecting({
      get message() {
        return boom();
      },
    }),
    'error',
  ],
  'rejects with half a character': [rejecting(new Error('\uD83D')), 'error'],
  'rejects with a text that is cut within a character': [rejecting(new Error(`${'x'.repeat(1_999)}😀`)), 'error'],
  'rejects with a status of ours': [rejecting(Object.assign(new Error('over'), { code: 'budget' })), 'budget'],
  'never settles': [fromPromise(never), 'timeout'],
  'is a silent callback': [fromCallback(() => {}), 'timeout'],
  'stops itself': [fromCallback(({ self }) => self.send({ type: 'xstate.stop' })), 'timeout'],
  'ends with nothing': [ending(undefined), 'silent'],
  'ends with null': [ending(null), 'silent'],
  'ends with a number': [ending(7), 'invalid'],
  'ends with garbage': [ending({ kind: 'report', findings: 7 }), 'invalid'],
  'ends with 10 MB of garbage': [ending('x'.repeat(10_000_000)), 'invalid'],
  'ends with a finding of 10 MB that is none': [ending(withFindings(['x'.repeat(10_000_000)])), 'invalid'],
  'ends with the report of another node': [ending(guestReport('root/l0')), 'invalid'],
  'ends with the report of its parent': [ending(guestReport('root', { tier: 'root' })), 'invalid'],
  'ends with findings that are null': [ending(withFindings([null])), 'invalid'],
  'ends with escalations that are null': [ending({ ...guestReport('root/l1'), escalations: [null] }), 'invalid'],
  'ends with gaps that are null': [ending({ ...guestReport('root/l1'), gaps: [null] }), 'invalid'],
  'ends with a token whose partial is garbage': [
    ending({ kind: 'failure', path: 'root/l1', status: 'error', message: 'm', attempts: 1, partial: { findings: 3 } }),
    'invalid',
  ],
  'ends with a path that throws': [ending(poisoned('path')), 'invalid'],
  'ends with findings that throw': [ending(poisoned('findings')), 'invalid'],
  'ends with a kind that throws': [ending(poisoned('kind')), 'invalid'],
  'ends with a cycle': [ending(withFindings([{ ...guestFinding('root/l1'), data: cyclic }])), 'invalid'],
  'ends with data deeper than the stack': [
    ending(withFindings([{ ...guestFinding('root/l1'), data: deep }])),
    'invalid',
  ],
  'ends with half a character': [ending(withFindings([guestFinding('root/l1', { statement: '\uD83D' })])), 'complete'],
  'sends its parent nonsense': [
    telling(
      { type: 'xstate.done.actor.l0', actorId: 'l0', output: null },
      { type: 'xstate.error.actor.l0', actorId: 'l0', error: new Error('forged') },
      { type: 'xstate.done.actor.l1', actorId: 'l1', output: guestReport('root/l1') },
      { type: 'xstate.error.actor.nobody', actorId: 'nobody' },
      { type: 'xstate.done.actor.', actorId: Object.create(null) as string },
      { type: 'gather.nonsense' },
      { type: 'gather.handoff' },
      { type: 'gather.flush' },
      { type: '' },
    ),
    'timeout',
  ],
  'sends malformed live messages': [
    telling(
      ...[undefined, null, 7, {}, [null], [{}], [{ finding: null }], [cyclic], [{ data: deep }], [poisoned('id')]].map(
        (findings) => ({ type: 'espalier.up', from: 'l1', findings }),
      ),
      { type: 'espalier.up' },
      { type: 'espalier.up', from: Object.create(null) as string, findings: [guestFinding('root/l1')] },
      { type: 'espalier.up', from: 'nobody', findings: [guestFinding('root/l1')] },
    ),
    'timeout',
  ],
  'asks for children in odd ways': [
    telling({ type: 'espalier.spawn' }, { type: 'espalier.spawn', from: Object.create(null) as string }),
    'timeout',
  ],
};

describe.each(Object.entries(bad))('a child that %s', (_, [logic, status]) => {
  it('becomes a token and harms nobody', async () => {
    const w = world([3], {}, { guestFor: guestAt('root/l1', logic) });
    const { brief } = await w.run();
    expect(brief.children.map((child) => [child.path, child.status])).toEqual([
      ['root/l0', 'complete'],
      ['root/l1', status],
      ['root/l2', 'complete'],
    ]);
    expect(brief.status).toBe(status === 'complete' ? 'complete' : 'partial');
    expect(brief.findings.filter(({ path }) => path !== 'root/l1')).toHaveLength(2);
    expect(w.endOf('root/l1')).toMatchObject({ status });
    expect(w.clock.now()).toBeLessThan(MINUTES_8);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

it('guestFor that throws costs the child it was asked for', async () => {
  const w = world([3], {}, { guestFor: (child) => (child.name === 'l1' ? boom() : undefined) });
  expect((await w.run()).brief.children.map(({ status }) => status)).toEqual(['complete', 'error', 'complete']);
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
});

describe('a guest in place of', () => {
  it('a leaf reports like one, and is given its task', async () => {
    const report = guestReport('root/d0/l1', { findings: [guestFinding('root/d0/l1', CRITICAL)] });
    const inputs: unknown[] = [];
    const logic = fromPromise(async ({ input }) => {
      inputs.push(input);
      return report;
    });
    const w = world([1, 2], {}, { guestFor: guestAt('root/d0/l1', logic) });
    const { brief, escalations } = await w.run();
    expect(inputs).toMatchObject([{ task: { path: 'root/d0/l1', tier: 'leaf', grant: { depthLeft: 0 } } }]);
    expect(brief.status).toBe('complete');
    expect(escalations).toEqual(report.findings);
    expect(w.eventsOf('finding.reported').map(({ finding }) => finding.id)).toEqual([
      'root/d0/l1#said',
      'root/d0/l0#said',
    ]);
    expect(w.eventsOf('finding.escalated')).toHaveLength(1);
  });

  it('a domain reports for all below it', async () => {
    const findings = [guestFinding('root/d1/x'), guestFinding('root/d1/y', CRITICAL)];
    const logic = ending(
      guestReport('root/d1', { tier: 'domain', madeBy: 'synthesis', findings, escalations: findings.slice(1) }),
    );
    const w = world([2, 1], {}, { guestFor: guestAt('root/d1', logic) });
    const { brief } = await w.run();
    expect(brief.findings.map(({ path }) => path).sort()).toEqual(['root/d0/l0', 'root/d1/x', 'root/d1/y']);
    expect(brief.escalations).toEqual(findings.slice(1));
    expect(w.eventsOf('finding.reported')).toHaveLength(3);
  });

  it('the root is not offered', async () => {
    const asked: string[] = [];
    const guestFor = (_: unknown, { path }: { path: string }): undefined => void asked.push(path);
    await world([1], {}, { guestFor }).run();
    expect(asked).toEqual(['root/l0']);
  });
});

describe('what a guest says live', () => {
  const up = (from: string, ...findings: Finding[]): AnyEventObject => ({ type: 'espalier.up', from, findings });

  it('is the partial of its token when it never answers, and critical findings pass up at once', async () => {
    const said = [guestFinding('root/d0/x', CRITICAL), guestFinding('root/d0/y')];
    const w = world([2, 2], {}, { guestFor: guestAt('root/d0', telling(up('d0', ...said))) });
    const { brief, escalations } = await w.run();
    const token = w.endOf('root/d0');
    expect(token).toMatchObject({ status: 'timeout', partial: { status: 'partial', findings: said } });
    expect(escalations).toEqual([said[0]]);
    expect(w.eventsOf('finding.escalated')).toMatchObject([{ at: 0, finding: said[0] }]);
    expect(brief.findings).toEqual(expect.arrayContaining(said));
  });

  it('is reported once, though its report says it again, in two places', async () => {
    const critical = guestFinding('root/l0', CRITICAL);
    const report = guestReport('root/l0', { findings: [critical], escalations: [critical] });
    const logic = fromPromise(async ({ self }) => {
      (self._parent as AnyActorRef).send(up('l0', critical));
      return report;
    });
    const w = world([1], {}, { guestFor: guestAt('root/l0', logic) });
    const { escalations } = await w.run();
    expect(w.eventsOf('finding.reported')).toHaveLength(1);
    expect(w.eventsOf('finding.escalated')).toHaveLength(1);
    expect(escalations).toEqual([critical]);
  });

  it('stands beside what it says later under the same id', async () => {
    const [first, second] = ['first', 'second'].map((statement) =>
      guestFinding('root/l0', { ...CRITICAL, statement }),
    ) as [Finding, Finding];
    const third = { ...first, statement: 'third' };
    const report = guestReport('root/l0', { findings: [second], escalations: [third] });
    const logic = fromPromise(async ({ self }) => {
      (self._parent as AnyActorRef).send(up('l0', first));
      return report;
    });
    const w = world([1], {}, { guestFor: guestAt('root/l0', logic) });
    const { escalations } = await w.run();
    expect(escalations.map(({ id, statement }) => `${id} ${statement}`).sort()).toEqual([
      'root/l0#said first',
      'root/l0#said~2 second',
      'root/l0#said~3 third',
    ]);
    expect(w.eventsOf('finding.reported')).toHaveLength(3);
    expect(w.eventsOf('finding.escalated')).toHaveLength(3);
  });

  it('after its end is late: told, and named in a gap when it is critical', async () => {
    const late = guestFinding('root/l0', { ...CRITICAL, statement: 'too late' });
    const logic = fromPromise(async ({ self }) => {
      const parent = self._parent as AnyActorRef;
      void w.clock.sleep(10).then(() => parent.send(up('l0', late, guestFinding('root/l0', { id: 'root/l0#dull' }))));
      return guestReport('root/l0', { findings: [guestFinding('root/l0', { id: 'root/l0#early' })] });
    });
    const w = world(
      [2],
      (own) => ({
        attempt: async (input, io) => {
          await w.clock.sleep(100);
          return own.attempt(input, io);
        },
      }),
      { guestFor: guestAt('root/l0', logic) },
    );
    const { brief, escalations } = await w.run();
    expect(escalations).toEqual([]);
    expect(w.eventsOf('child.late')).toMatchObject([{ path: 'root', child: 'l0', why: 'late', findings: [late] }]);
    expect(brief.status).toBe('partial');
    expect(brief.gaps).toEqual([{ path: 'root/l0', kind: 'undone', why: expect.stringContaining('too late') }]);
  });

  it('under another node’s path stands under its own, flagged, and is no secret', async () => {
    const stolen = guestFinding('root/l0', CRITICAL);
    const w = world([2], {}, { guestFor: guestAt('root/l1', telling(up('l1', stolen))) });
    const { escalations } = await w.run();
    const adopted = { ...stolen, id: 'root/l1#said', path: 'root/l1', flags: ['misattributed'] };
    expect(escalations).toEqual([adopted]);
    expect(w.eventsOf('integrity.alert')).toMatchObject([{ kind: 'misattributed', path: 'root/l1' }]);
    expect(reportOf(w.endOf('root/l0')).findings).toEqual([expect.objectContaining({ id: 'root/l0#said' })]);
  });
});

it('a child that asks its parent for children gets none, and is not unseen', async () => {
  const asking = telling({ type: 'espalier.spawn', from: 'l0', child: { name: 'x', role: 'leaf' } });
  const w = world([1], {}, { guestFor: guestAt('root/l0', asking) });
  await w.run();
  expect(w.eventsOf('integrity.alert')).toMatchObject([{ kind: 'spawn', path: 'root/l0' }]);
  expect(w.eventsOf('node.started').map(({ path }) => path)).toEqual(['root', 'root/l0']);
});

it('an end that a sibling forged is refused and alerted', async () => {
  const forging = telling({ type: 'xstate.done.actor.l0', actorId: 'l0', output: guestReport('root/l0') });
  const w = world([2], {}, { guestFor: guestAt('root/l1', forging) });
  await w.run();
  expect(w.endOf('root/l0')).toMatchObject({ kind: 'report', findings: [{ id: 'root/l0#said' }] });
  expect(w.eventsOf('integrity.alert')).toMatchObject([{ path: 'root/l1', kind: 'misattributed' }]);
});
