import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { EspalierError } from '../../src/errors.ts';
import { start } from '../../src/runtime/in-process/start.ts';
import type { RunHandle } from '../../src/runtime/run.ts';
import {
  CRITICAL,
  draft,
  MINUTES_8,
  never,
  NOTHING_LEFT,
  tree,
  world,
  type Script,
  type World,
} from '../support/world.ts';

const strays: unknown[] = [];
const note = (error: unknown): void => void strays.push(error);
beforeEach(() => {
  strays.length = 0;
  process.on('unhandledRejection', note).on('uncaughtException', note);
});
afterEach(async () => {
  await new Promise((done) => setImmediate(done));
  process.off('unhandledRejection', note).off('uncaughtException', note);
  expect(strays).toEqual([]);
});

const isRoot = ({ task }: { task: { path: string } }): boolean => task.path === 'root';
const moments: Record<string, (own: World) => Script> = {
  'the root plans': () => ({ plan: never }),
  'the domains plan': () => (own) => ({ plan: (input, io) => (isRoot(input) ? own.plan(input, io) : never()) }),
  'the leaves work': () => ({ attempt: never }),
  'half of the leaves are done': () => (own) => ({
    attempt: (input, io) => (input.task.path.endsWith('l0') ? own.attempt(input, io) : never()),
  }),
  'some leaves wait for a slot': () => ({ attempt: never }),
  'the leaves verify': () => ({ verify: never }),
  'the leaves recover': () => ({ attempt: () => Promise.reject(new Error('no')), recover: never }),
  'the domains synthesize': () => ({ synthesize: never }),
  'the root synthesizes': () => (own) => ({
    synthesize: (input, io) => (isRoot(input) ? never() : own.synthesize(input, io)),
  }),
};

describe.each(Object.entries(moments))('while %s', (name, scriptFor) => {
  const at = async (): Promise<{ w: World; handle: RunHandle }> => {
    const w: World = world([2, 3], (own) => {
      const script = scriptFor(w);
      return typeof script === 'function' ? script(own) : script;
    });
    const handle = w.start({ concurrency: name === 'some leaves wait for a slot' ? 2 : 10 });
    await w.clock.advance(10);
    expect(w.leftovers()).not.toEqual(NOTHING_LEFT);
    return { w, handle };
  };

  it('stop leaves nothing, at once, and rejects', async () => {
    const { w, handle } = await at();
    handle.stop();
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
    await expect(handle.result).rejects.toMatchObject({ code: 'stopped' });
  });

  it('cancel delivers at once, and leaves nothing', async () => {
    const { w, handle } = await at();
    handle.cancel();
    const { brief } = await handle.result;
    expect(w.clock.now()).toBe(10);
    expect(brief).toMatchObject({ kind: 'report', path: 'root' });
    expect(brief.status).not.toBe('complete');
    expect(brief.gaps).not.toEqual([]);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('cancel and stop may be asked for again and again', async () => {
    const { w, handle } = await at();
    handle.cancel();
    handle.cancel();
    expect((await handle.result).brief.path).toBe('root');
    handle.stop();
    handle.stop();
    handle.cancel();
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('before anything has run', () => {
  it('stop in the turn of start leaves nothing', async () => {
    const w = world([2, 3]);
    const handle = w.start();
    handle.stop();
    await expect(handle.result).rejects.toSatisfy(EspalierError.isInstance);
    await w.clock.advance(MINUTES_8);
    expect(w.events).toEqual([]);
    expect(w.leftovers()).toEqual({ ...NOTHING_LEFT, unstarted: [] });
  });

  it('cancel in the turn of start delivers a failed brief', async () => {
    const w = world([2, 3]);
    const handle = w.start();
    handle.cancel();
    expect(await handle.result).toMatchObject({ status: 'failed', brief: { findings: [], children: [] } });
    expect(w.clock.now()).toBe(0);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('a stop that nobody listens to rejects nothing unheard', async () => {
    world([1]).start().stop();
    await new Promise((done) => setImmediate(done)); // the hook sees what would be unhandled
  });
});

describe('by signal', () => {
  it('cancels when it aborts', async () => {
    const controller = new AbortController();
    const w = world([2, 2], { attempt: never });
    const { result } = w.start({ signal: controller.signal });
    await w.clock.advance(7);
    controller.abort();
    expect((await result).status).toBe('failed');
    expect(w.clock.now()).toBe(7);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it.each(['before start', 'in the turn of start'])('cancels a run when it aborts %s', async (when) => {
    const controller = new AbortController();
    if (when === 'before start') controller.abort();
    const w = world([2, 2]);
    const { result } = w.start({ signal: controller.signal });
    controller.abort();
    expect((await result).status).toBe('failed');
    expect(w.calls).not.toContain('attempt root/d0/l0');
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is let go of at the end', async () => {
    const signal = new AbortController().signal;
    const live = new Set<unknown>();
    const [add, remove] = [signal.addEventListener, signal.removeEventListener];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      live.add(args[1]);
      add.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      live.delete(args[1]);
      remove.apply(signal, args);
    };
    await world([2]).run({ signal });
    expect(live.size).toBe(0);
  });
});

describe.each(['stop', 'cancel'] as const)('%s from within', (how) => {
  const within = async (step: 'plan' | 'attempt' | 'synthesize', path: string): Promise<void> => {
    let hits = 0;
    const trip = (at: string, now: typeof step): void => {
      if (now !== step || at !== path) return;
      hits++;
      handle[how]();
    };
    const w = world([3, 4], (own) => ({
      plan: async (input, io) => {
        if (isRoot(input)) await w.clock.sleep(1);
        trip(input.task.path, 'plan');
        return own.plan(input, io);
      },
      attempt: async ({ task }) => {
        trip(task.path, 'attempt');
        await w.clock.sleep(5);
        return draft(task.path);
      },
      synthesize: async (input, io) => {
        trip(input.task.path, 'synthesize');
        await w.clock.sleep(5);
        return own.synthesize(input, io);
      },
    }));
    const handle = w.start({ concurrency: 12 });
    const ended = await w.clock.run(handle.result.then((outcome) => outcome.brief.path, String));
    expect(ended).toMatch(how === 'stop' ? /was stopped/ : /^root$/);
    expect(hits).toBe(1);
    await w.clock.advance(1_000_000);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  };
  it('the first leaf of a stage', () => within('attempt', 'root/d1/l0'));
  it('the last leaf', () => within('attempt', 'root/d2/l3'));
  it('the planning of a domain', () => within('plan', 'root/d0'));
  it('the planning of the last domain', () => within('plan', 'root/d2'));
  it('the synthesis of a domain', () => within('synthesize', 'root/d1'));
  it('the synthesis of the root', () => within('synthesize', 'root'));
});

describe('from a listener', () => {
  // XState warns, in development, of each message to an actor that has just been stopped.
  beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
  afterEach(() => vi.restoreAllMocks());
  const speaking: Script = {
    attempt: async ({ task }, { report }) => {
      report(draft(task.path, { ...CRITICAL, key: 'live' }));
      await Promise.resolve();
      return [draft(task.path, { ...CRITICAL, key: 'end' })];
    },
  };
  const countOf = async (listen: 'inspect' | 'onEvent'): Promise<number> => {
    let total = 0;
    await world([2, 2], speaking, { [listen]: () => total++ }).run();
    return total;
  };

  it.each(['stop', 'cancel'] as const)('%s at each event that an inspector sees', async (how) => {
    const total = await countOf('inspect');
    expect(total).toBeGreaterThan(100);
    for (let n = 1; n <= total; n++) {
      let count = 0;
      let handle: RunHandle | undefined = undefined;
      const w = world([2, 2], speaking, {
        inspect: (_: InspectionEvent) => {
          if (++count === n) handle?.[how]();
        },
      });
      handle = w.start();
      if (n === 1) handle[how](); // the first actor is made by start itself
      const ended = await w.clock.run(handle.result.then(({ brief }) => brief.path, String));
      await w.clock.advance(MINUTES_8);
      expect({ n, ended, ...w.leftovers() }).toEqual({ n, ended, ...NOTHING_LEFT });
    }
  });

  it.each(['stop', 'cancel'] as const)('%s at each of its events: nothing left, nothing critical lost', async (how) => {
    const total = await countOf('onEvent');
    for (let n = 1; n <= total; n++) {
      let count = 0;
      let handle: RunHandle | undefined = undefined;
      const w = world([2, 2], speaking, {
        onEvent: () => {
          if (++count === n) handle?.[how]();
        },
      });
      handle = w.start();
      const outcome = await w.clock.run(handle.result.catch(() => undefined));
      expect({ n, ...w.leftovers() }).toEqual({ n, ...NOTHING_LEFT });
      if (!outcome) continue;
      const reported = w.eventsOf('finding.reported').map(({ finding }) => finding.id);
      const late = w.eventsOf('child.late').flatMap(({ findings }) => findings.map(({ id }) => id));
      const kept = new Set([...outcome.escalations.map(({ id }) => id), ...late]);
      expect({ n, lost: reported.filter((id) => !kept.has(id)) }).toEqual({ n, lost: [] });
    }
  });

  it('stop at its first event runs nothing', async () => {
    const w = world([2], {}, { onEvent: () => handle.stop() });
    const handle = w.start();
    await expect(handle.result).rejects.toMatchObject({ code: 'stopped' });
    await w.clock.advance(MINUTES_8);
    expect(w.events.map(({ type }) => type)).toEqual(['run.started']);
    expect(w.calls).toEqual([]);
    expect(w.leftovers()).toEqual({ ...NOTHING_LEFT });
  });

  it('what a listener or an inspector throws is not the run’s fault', async () => {
    const boom = (): never => {
      throw new Error('boom');
    };
    const { brief } = await world([2, 2], {}, { onEvent: boom, inspect: boom }).run();
    expect(brief.status).toBe('complete');
  });
});

describe('racing completion', () => {
  it.each(['the timer of cancel', 'the timer of the leaf'])('%s fires first', async (first) => {
    const w = world([1, 1], {
      attempt: async ({ task }) => {
        await w.clock.sleep(100);
        return draft(task.path, CRITICAL);
      },
    });
    if (first === 'the timer of cancel') w.clock.setTimeout(() => handle.cancel(), 100);
    const handle = w.start();
    if (first === 'the timer of the leaf') {
      await w.clock.advance(1);
      w.clock.setTimeout(() => handle.cancel(), 99);
    }
    const { brief } = await w.clock.run(handle.result);
    expect(brief.kind).toBe('report');
    expect(w.clock.now()).toBe(100);
    expect(w.leftovers()).toEqual(NOTHING_LEFT);
  });

  it('a cancel in the turn of a critical finding keeps it', async () => {
    const w = world([2, 2], {
      attempt: async ({ task }, { report }) => {
        await w.clock.sleep(5);
        if (task.path === 'root/d1/l1') {
          report(draft(task.path, CRITICAL));
          handle.cancel();
        }
        return never();
      },
    });
    const handle = w.start();
    const { escalations } = await w.clock.run(handle.result);
    expect(escalations.map(({ id }) => id)).toEqual(['root/d1/l1#said']);
    expect(w.eventsOf('finding.escalated')).toHaveLength(1);
  });

  it('a cancel lets every orchestrator conclude with what it has', async () => {
    const w = world([2, 2], {
      attempt: ({ task }) => (task.path.endsWith('l0') ? Promise.resolve(draft(task.path)) : never()),
    });
    const handle = w.start();
    await w.clock.advance(1_000);
    handle.cancel();
    const { brief } = await handle.result;
    expect(brief.children.map(({ path, status }) => [path, status])).toEqual([
      ['root/d0', 'partial'],
      ['root/d1', 'partial'],
    ]);
    expect(w.endOf('root/d0')).toMatchObject({
      kind: 'report',
      children: [{ status: 'complete' }, { status: 'cancelled' }],
    });
    expect(brief.gaps).toContainEqual(
      expect.objectContaining({ path: 'root/d0/l1', kind: 'token', status: 'cancelled' }),
    );
    expect(brief.assessment?.coverage).toBe(0.5);
  });

  it('a cancel keeps what had finished, however recently', async () => {
    const w = world([2, 2, 2], {
      attempt: ({ task }) => (task.path.endsWith('l0') ? Promise.resolve(draft(task.path)) : never()),
    });
    const handle = w.start();
    await w.clock.advance(10); // below the time for which findings that are not critical wait for company
    handle.cancel();
    const { brief } = await handle.result;
    expect(brief.findings.map(({ path }) => path)).toEqual([
      'root/d0/d0/l0',
      'root/d0/d1/l0',
      'root/d1/d0/l0',
      'root/d1/d1/l0',
    ]);
  });
});

it('twenty rapid runs, each stopped or cancelled at another moment, leave nothing', async () => {
  const w = world([3, 3], {
    attempt: async ({ task }) => {
      await w.clock.sleep(2);
      return draft(task.path);
    },
  });
  const results: Promise<unknown>[] = [];
  for (let i = 0; i < 20; i++) {
    const handle = w.start({ runId: `run-${i}` });
    results.push(handle.result.catch(() => {}));
    if (i % 4 > 0) await w.clock.advance((i % 4) - 1);
    handle[i % 2 === 0 ? 'stop' : 'cancel']();
  }
  await Promise.all(results);
  expect(w.leftovers()).toEqual(NOTHING_LEFT);
});

it('runs on the system’s clock as well, and keeps no timer that holds the process', async () => {
  const { status } = await start(tree([2, 2])).result;
  expect(status).toBe('complete');
});
