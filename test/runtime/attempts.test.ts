/** What a leaf's author writes may fail in any way: attempts, verification, recovery, and the leaf's signal. */
import { describe, expect, it } from 'vitest';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { LeafContext, LeafRun, LeafSpec } from '../../src/define/spec.ts';
import { CRITICAL, draft, never, NOTHING_LEFT, reportOf, world, type World } from '../support/world.ts';

const boom = (): never => {
  throw new Error('boom');
};
const well: LeafRun = ({ task }) => draft(task.path);
/** A leaf on trial, beside one that is well. */
const trial = (spec: Partial<LeafSpec>): World =>
  world(
    defineScenario({
      name: 'trial',
      thesis: 'It holds',
      domains: [defineLeaf({ run: well, ...spec, name: 'a' }), defineLeaf({ name: 'b', run: well })],
    }),
  );
const cyclic: Record<string, unknown> = { statement: 'round and round' };
cyclic['data'] = cyclic;
let deep: unknown = 'bottom';
for (let i = 0; i < 100_000; i++) deep = [deep];

describe('attempts', () => {
  it('are not failed by what an earlier one still says, if that cannot be read', async () => {
    const w: World = trial({
      run: async ({ task, attempt, report }) => {
        if (attempt > 1) await w.clock.sleep(100);
        else {
          w.clock.setTimeout(() => report({ ...CRITICAL, statement: 7 } as never), 10);
          throw new Error('the first');
        }
        return draft(task.path);
      },
    });
    const { status } = await w.run();
    expect(status).toBe('complete');
    expect(w.eventsOf('attempt.failed')).toMatchObject([{ attempt: 1, fault: { message: 'the first' } }]);
  });

  it('are three by default, and each knows one thing more', async () => {
    const seen: (readonly string[])[] = [];
    const w = trial({
      run: ({ task, attempt }) => {
        seen.push(task.enrichments);
        throw new Error(`attempt ${attempt}`);
      },
    });
    const { brief } = await w.run();
    expect(seen).toEqual([
      [],
      ['The last attempt failed (error): attempt 1'],
      ['The last attempt failed (error): attempt 1', 'The last attempt failed (error): attempt 2'],
    ]);
    const gap = { path: 'root/a', kind: 'token', why: 'error: attempt 3', status: 'error', needsHuman: true };
    expect(brief.gaps).toEqual([gap]);
    expect(w.endOf('root/a')).toMatchObject({ attempts: 3, retryable: true });
    expect(w.eventsOf('attempt.failed').map(({ attempt, willRetry }) => [attempt, willRetry])).toEqual([
      [1, true],
      [2, true],
      [3, false],
    ]);
    expect(w.eventsOf('attempt.started').filter(({ path }) => path === 'root/a')).toHaveLength(3);
  });

  it.each([1, 2, 5])('are %i when the leaf says so', async (attempts) => {
    const w = trial({ attempts, run: boom });
    await w.run();
    expect(w.endOf('root/a')).toMatchObject({ attempts });
  });

  it('end with the first that succeeds, which is counted', async () => {
    const w = trial({ run: ({ task, attempt }) => (attempt < 3 ? boom() : draft(task.path)) });
    const { brief } = await w.run();
    expect(brief).toMatchObject({ status: 'complete', usage: { subtree: { attempts: 4 } } });
  });
});

describe('an attempt that was given up', () => {
  it('answers to nobody: the present one counts', async () => {
    const w: World = trial({
      run: async ({ task, attempt, report }) => {
        if (attempt === 1) report({} as never);
        await w.clock.sleep(attempt === 1 ? 50 : 100);
        return draft(task.path, { key: `attempt ${attempt}` });
      },
    });
    await w.run();
    expect(reportOf(w.endOf('root/a')).findings).toMatchObject([{ id: 'root/a#attempt 2' }]);
    expect(w.clock.now()).toBe(100);
  });
});

describe('verify and recover', () => {
  it('a leaf that fails its own check tries again, told by its own recovery', async () => {
    const w = trial({
      run: ({ task, attempt }) => draft(task.path, { value: attempt, key: `try ${attempt}` }),
      verify: ([finding]) => (finding?.value === 2 ? { ok: true } : { ok: false, why: 'too small' }),
      recover: (fault) => `${fault.status}, ${fault.message}: go higher`,
    });
    const { brief } = await w.run();
    expect(brief.status).toBe('complete');
    expect(reportOf(w.endOf('root/a')).findings).toMatchObject([{ value: 2 }]);
    expect(w.eventsOf('attempt.failed')).toMatchObject([
      { fault: { status: 'invalid', message: 'not verified: too small' } },
    ]);
  });

  it.each<[string, Partial<LeafSpec>]>([
    ['throws', { verify: boom }],
    ['rejects', { verify: () => Promise.reject(new Error('boom')) }],
    ['answers nothing', { verify: (() => undefined) as never }],
    [
      'answers with a getter that throws',
      {
        verify: () => ({
          get ok() {
            return boom();
          },
        }),
      },
    ],
    ['gives an odd reason', { verify: (() => ({ ok: false, why: Symbol('odd') })) as never }],
    ['alters the findings', { verify: (findings) => ((findings[0] as { value: number }).value = 1) as never }],
  ])('a check that %s is a check that failed', async (_, spec) => {
    const w = trial(spec);
    const { brief } = await w.run();
    expect(w.endOf('root/a')).toMatchObject({ kind: 'failure', attempts: 3 });
    expect(brief.children[1]).toMatchObject({ status: 'complete' });
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it.each<[string, Partial<LeafSpec>]>([
    ['throws', { recover: boom }],
    ['rejects', { recover: () => Promise.reject(new Error('boom')) }],
    ['answers what cannot be printed', { recover: (() => Object.create(null) as unknown) as never }],
  ])('a recovery that %s ends the leaf', async (_, spec) => {
    const w = trial({ ...spec, run: () => Promise.reject(new Error('no')) });
    await w.run();
    expect(w.endOf('root/a')).toMatchObject({ kind: 'failure', attempts: 1 });
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('an attempt that', () => {
  const results: Record<string, [LeafRun, string]> = {
    'returns nothing': [(() => undefined) as never, 'silent'],
    'returns null': [(() => null) as never, 'silent'],
    'returns a text': [(() => 'fine') as never, 'invalid'],
    'returns NaN': [({ task }) => draft(task.path, { value: Number.NaN }), 'invalid'],
    'returns an endless value': [({ task }) => draft(task.path, { value: Infinity }), 'invalid'],
    'returns a stance beyond its range': [({ task }) => draft(task.path, { stance: 2 }), 'invalid'],
    'returns a key that is none': [({ task }) => draft(task.path, { key: 'a/b' }), 'invalid'],
    'returns a getter that throws': [
      () => ({
        get statement() {
          return boom();
        },
      }),
      'invalid',
    ],
    'returns a list that throws': [(() => Object.defineProperty([1], 0, { get: boom })) as never, 'invalid'],
    'returns a revoked proxy': [
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      }) as never,
      'error',
    ],
    'returns a cycle': [(() => cyclic) as never, 'invalid'],
    'returns data deeper than the stack': [({ task }) => draft(task.path, { data: deep as never }), 'invalid'],
    'returns 10 MB of garbage': [(() => 'x'.repeat(10_000_000)) as never, 'invalid'],
    'returns a BigInt': [({ task }) => draft(task.path, { data: 1n as never }), 'invalid'],
    'rejects with nothing': [() => Promise.reject(undefined), 'error'],
    'rejects with an unprintable thing': [() => Promise.reject(Object.create(null) as Error), 'error'],
    'says garbage live': [({ report, task }) => (report({} as never), draft(task.path)), 'invalid'],
    'says a getter that throws live': [
      ({ report, task }) => (
        report({
          get statement() {
            return boom();
          },
        }),
        draft(task.path)
      ),
      'invalid',
    ],
    'says a cycle live': [({ report, task }) => (report(cyclic as never), draft(task.path)), 'invalid'],
  };
  it.each(Object.entries(results))('%s becomes a token and harms nobody', async (_, [run, status]) => {
    const w = trial({ run });
    const { brief } = await w.run();
    expect(w.endOf('root/a')).toMatchObject({ kind: 'failure', status, attempts: 3 });
    expect(brief.children).toMatchObject([{ status }, { status: 'complete' }]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('says half a character is heard, and proven like any other', async () => {
    const w = trial({ run: ({ task }) => draft(task.path, { ...CRITICAL, statement: 'half a \uD83D' }) });
    const { brief, escalations } = await w.run();
    expect(brief.status).toBe('complete');
    expect(escalations).toMatchObject([{ statement: 'half a \uD83D' }]);
  });

  it('hangs is closed at its hand-off, with what it had said', async () => {
    const w = trial({ run: ({ task, report }) => (report(draft(task.path)), never()) });
    await w.run();
    expect(w.endOf('root/a')).toMatchObject({ status: 'timeout', attempts: 1, partial: { findings: [{}] } });
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('the signal of an attempt', () => {
  const signalOf = async (run: (context: LeafContext) => ReturnType<LeafRun>, spec: Partial<LeafSpec> = {}) => {
    const signals: AbortSignal[] = [];
    const w = trial({
      ...spec,
      run: (context) => {
        signals.push(context.abortSignal);
        return run(context);
      },
    });
    return { w, signals, reasons: () => signals.map(({ reason }) => (reason as Error | undefined)?.message) };
  };

  it('aborts when the attempt is over, so that what it left running ends too', async () => {
    const { w, reasons } = await signalOf(well);
    await w.run();
    expect(reasons()).toEqual(['the attempt is over']);
  });

  it('aborts when the attempt failed, with why', async () => {
    const { w, reasons } = await signalOf(boom);
    await w.run();
    expect(reasons()).toEqual(['boom', 'boom', 'boom']);
  });

  it('aborts when a finding said live costs the attempt, though it still runs', async () => {
    const { w, signals } = await signalOf(({ report }) => (report({} as never), never()), { attempts: 1 });
    await w.run();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('aborts at the deadline, after the end is decided', async () => {
    const { w, reasons } = await signalOf(never);
    await w.run();
    expect(reasons()).toEqual(['closed itself at its deadline']);
  });

  it('is aborted already when it is asked for too late', async () => {
    let late: AbortSignal | undefined;
    const w = trial({
      run: async (context) => {
        setImmediate(() => (late = context.abortSignal));
        return draft(context.task.path);
      },
    });
    await w.run();
    await new Promise((done) => setImmediate(done));
    expect(late?.aborted).toBe(true);
  });

  it('has listeners that may say more: late, when the leaf has ended', async () => {
    const w = trial({
      run: ({ task, report, abortSignal }) => {
        abortSignal.addEventListener('abort', () => report(draft(task.path, { ...CRITICAL, key: 'last' })));
        return draft(task.path);
      },
    });
    await w.run();
    expect(w.eventsOf('child.late')).toMatchObject([{ child: 'a', findings: [{ id: 'root/a#last' }] }]);
  });
});
