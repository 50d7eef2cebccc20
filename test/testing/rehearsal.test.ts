import { describe, expect, it } from 'vitest';
import { plan } from '../../src/runtime/plan.ts';
import { start } from '../../src/runtime/in-process/start.ts';
import { checkRehearsedFaults, parseRehearsedFault, rehearse, VirtualClock } from '../../src/testing/index.ts';
import { tree } from '../support/world.ts';

describe('a fault as text', () => {
  it.each([
    ['root/macro/jobs=hang', { path: 'root/macro/jobs', kind: 'hang' }],
    ['root=throw', { path: 'root', kind: 'throw' }],
    ['root/macro=silent', { path: 'root/macro', kind: 'silent' }],
    ['root/macro=invalid', { path: 'root/macro', kind: 'invalid' }],
    ['root/macro:plan=hang', { path: 'root/macro', step: 'plan', kind: 'hang' }],
    ['root/macro:gather=throw', { path: 'root/macro', step: 'gather', kind: 'throw' }],
    ['root:synthesize=slow:250', { path: 'root', step: 'synthesize', kind: 'slow', ms: 250 }],
    ['root/with space-and.dots_/x=slow:0', { path: 'root/with space-and.dots_/x', kind: 'slow', ms: 0 }],
    ['root/macro=slow:99999999999', { path: 'root/macro', kind: 'slow', ms: 2_147_483_647 }], // what a timer can wait
  ])('%s', (text, fault) => {
    expect(parseRehearsedFault(text)).toEqual(fault);
  });

  it.each([
    '',
    'root',
    'root=',
    '=hang',
    'root=explode',
    'root=slow',
    'root=slow:',
    'root=slow:-5',
    'root=slow:soon',
    'root=hang:5',
    'root:execute=hang',
    'root:=hang',
    'root=hang ',
    'root=hang=hang',
  ])('%j cannot be read, and the message says how to write one', (text) => {
    expect(() => parseRehearsedFault(text)).toThrow(
      expect.objectContaining({ code: 'invalid-input', message: expect.stringMatching(/cannot be read.*PATH.*"root/) }),
    );
  });
});

describe('faults and the tree they are for', () => {
  const { root } = plan(tree([2, 2]));
  const check = (...faults: string[]) => checkRehearsedFaults(faults.map(parseRehearsedFault), root);

  it('fit', () => {
    expect(() => check('root=hang', 'root/d1:plan=throw', 'root/d1/l0=slow:5')).not.toThrow();
    expect(() => check()).not.toThrow();
  });

  it('a path that is none is named, with those there are', () => {
    expect(() => check('root/d0=hang', 'root/d7=hang')).toThrow(
      expect.objectContaining({ code: 'invalid-input', message: expect.stringMatching(/"root\/d7".*root\/d0/) }),
    );
  });

  it('a leaf has no steps', () => {
    expect(() => check('root/d0/l0:plan=hang')).toThrow(/"root\/d0\/l0" is a leaf and has no plan/);
  });

  it('of a wide tree only some paths are listed', () => {
    const wide = plan(tree([100])).root;
    const fail = () => checkRehearsedFaults([{ path: 'root/x', kind: 'hang' }], wide);
    expect(fail).toThrow(/root\/l10, …\./);
  });
});

describe('a rehearsal', () => {
  it('is what start takes; on the system’s clock when no other is given', async () => {
    const steps = [parseRehearsedFault('root/l0=throw'), parseRehearsedFault('root/l1=slow:1')];
    const { brief } = await start(tree([3]), rehearse(steps)).result;
    expect(brief.children.map(({ status }) => status)).toEqual(['error', 'complete', 'complete']);
  });

  it('without faults changes nothing', async () => {
    const [plain, rehearsed] = [new VirtualClock(), new VirtualClock()];
    const once = await plain.run(start(tree([2, 2]), { clock: plain }).result);
    const again = await rehearsed.run(start(tree([2, 2]), { clock: rehearsed, ...rehearse([], rehearsed) }).result);
    expect(again.brief.digest).toBe(once.brief.digest);
  });

  it('slow work that is cancelled holds no timer', async () => {
    const clock = new VirtualClock();
    const faults = ['root/d0/l0=slow:90000', 'root/d1:plan=slow:90000'].map(parseRehearsedFault);
    const handle = start(tree([2, 2]), { clock, ...rehearse(faults, clock) });
    await clock.advance(10);
    handle.cancel();
    await handle.result;
    await clock.advance(0);
    expect(clock.pending).toBe(0);
  });
});
