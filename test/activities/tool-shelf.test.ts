/** What a leaf may call, and when the servers behind it are there. */
import { describe, expect, it } from 'vitest';
import { openTools } from '../../src/activities/open-tools.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { LeafRun } from '../../src/define/spec.ts';
import type { ToolServer } from '../../src/ports/tools.ts';
import { plan } from '../../src/runtime/plan.ts';
import { run } from '../../src/runtime/in-process/start.ts';
import { draft, world } from '../support/world.ts';

function exampleServer(names: readonly string[] = ['read', 'write']) {
  const told = { opened: 0, closed: 0, called: [] as string[], isLost: false };
  const server: ToolServer = {
    async open() {
      const isFirst = ++told.opened === 1;
      return {
        tools: names.map((name) => ({
          name,
          description: `It can ${name}`,
          input: { type: 'object' },
          call: async () => (told.called.push(name), { text: `did ${name}` }),
        })),
        isLost: () => told.isLost && isFirst,
        close: async () => void told.closed++,
      };
    },
  };
  return { server, told };
}
const leafWith = (name: string, tools: string[] | undefined, work: LeafRun) =>
  defineLeaf({ name, ...(tools && { tools }), attempts: 2, run: work });
const scenarioOf = (leaves: ReturnType<typeof leafWith>[], server: ToolServer) =>
  defineScenario({ name: 's', thesis: 'It holds', domains: leaves, tools: { files: server } });

const calls =
  (name: string): LeafRun =>
  async ({ tools, task }) =>
    draft(task.path, { statement: (await tools.call(name, {})).text });

describe('a leaf', () => {
  it('reaches what it declared: a whole server, or one tool of it', async () => {
    const { server } = exampleServer();
    const listed: string[][] = [];
    const lists: LeafRun = async ({ tools, task }) => {
      listed.push((await tools.list()).map(({ name }) => name));
      return draft(task.path);
    };
    await run(scenarioOf([leafWith('all', ['files'], lists), leafWith('one', ['files/read'], lists)], server));
    expect(listed.toSorted((a, b) => a.length - b.length)).toEqual([['files/read'], ['files/read', 'files/write']]);
  });

  it('is refused what it did not declare, alone and with an alert, and is not asked again', async () => {
    const { server, told } = exampleServer();
    const leaves = [
      leafWith('a', ['files/read'], calls('files/write')),
      leafWith('b', ['files'], calls('files/write')),
    ];
    const w = world(scenarioOf(leaves, server));
    const { gaps, brief } = await w.run();
    expect(told.called).toEqual(['write']);
    expect(gaps).toMatchObject([
      {
        path: 'root/a',
        status: 'error',
        why: expect.stringContaining('"files/write" is not among this leaf\'s tools (files/read)'),
      },
    ]);
    expect(brief.findings.map(({ path }) => path)).toEqual(['root/b']);
    expect(w.eventsOf('integrity.alert')).toMatchObject([
      {
        path: 'root/a',
        kind: 'tool',
        message: 'root/a asked for the tool "files/write", which it did not declare',
      },
    ]);
    expect(w.eventsOf('attempt.started').filter(({ path }) => path === 'root/a')).toHaveLength(1);
  });

  it('is granted in words what it may call, and so is its plan', async () => {
    const { server } = exampleServer();
    const scenario = scenarioOf(
      [leafWith('a', ['files/read'], ({ task }) => draft(task.path, { data: task.grant.tools }))],
      server,
    );
    const { brief } = await run(scenario);
    expect(brief.findings[0]?.data).toEqual(['files/read']);
    expect(plan(scenario).root.decision?.stages[0]?.[0]?.tools).toEqual(['files/read']);
  });

  it('fails by a tool that its server does not have', async () => {
    const { server } = exampleServer();
    const { gaps } = await run(scenarioOf([leafWith('a', ['files/dig'], calls('files/dig'))], server));
    expect(gaps[0]?.why).toContain('There is no tool "files/dig" (there are files/read, files/write)');
  });
});

describe('a server', () => {
  it('is opened once for all, when first used, and closed with the run', async () => {
    const { server, told } = exampleServer();
    await run(
      scenarioOf(
        [leafWith('a', ['files'], calls('files/read')), leafWith('b', ['files'], calls('files/read'))],
        server,
      ),
    );
    expect(told).toMatchObject({ opened: 1, closed: 1, called: ['read', 'read'] });
  });

  it('that nobody asks is never opened', async () => {
    const { server, told } = exampleServer();
    await run(scenarioOf([leafWith('a', ['files'], ({ task }) => draft(task.path))], server));
    expect(told).toMatchObject({ opened: 0, closed: 0 });
  });

  it('that has ended by itself is opened anew for the next attempt', async () => {
    const { server, told } = exampleServer();
    const work: LeafRun = async ({ attempt, ...context }) => {
      if (attempt === 2) return calls('files/read')({ attempt, ...context });
      await context.tools.list();
      told.isLost = true;
      throw new Error('it went away');
    };
    const { status } = await run(scenarioOf([leafWith('a', ['files'], work)], server));
    expect(status).toBe('complete');
    expect(told).toMatchObject({ opened: 2, closed: 2 });
  });

  it('is opened once more by all who find it lost, and none of it stays open', async () => {
    const { server, told } = exampleServer();
    const tools = openTools({ files: server });
    const { signal } = new AbortController();
    await tools.server('files', signal);
    told.isLost = true;
    const [one, other] = await Promise.all([tools.server('files', signal), tools.server('files', signal)]);
    expect(one).toBe(other);
    await tools.close();
    expect(told).toMatchObject({ opened: 2, closed: 2 });
  });

  it.each(['cancelled', 'stopped'] as const)('is closed when the run is %s', async (how) => {
    const { server, told } = exampleServer();
    const { promise: isOpen, resolve } = Promise.withResolvers<void>();
    const hangs: LeafRun = async ({ tools }) => {
      await tools.list();
      resolve();
      return new Promise(() => {});
    };
    const w = world(scenarioOf([leafWith('a', ['files'], hangs)], server));
    const handle = w.start();
    await isOpen;
    if (how === 'cancelled') handle.cancel();
    else handle.stop();
    await w.clock.run(handle.result).catch(() => {});
    await Promise.resolve();
    expect(told).toMatchObject({ opened: 1, closed: 1 });
  });

  it('that cannot be opened costs those who use it, and nobody else', async () => {
    const broken: ToolServer = { open: () => Promise.reject(new Error('no such host')) };
    const leaves = [
      leafWith('a', ['files'], calls('files/read')),
      leafWith('b', undefined, ({ task }) => draft(task.path)),
    ];
    const { status, gaps } = await run(scenarioOf(leaves, broken), { random: () => 0 });
    expect(status).toBe('partial');
    expect(gaps).toMatchObject([{ path: 'root/a', why: expect.stringContaining('no such host') }]);
  });
});

it('nobody waits for long for a server that does not close, or has not even opened', async () => {
  const hanging: ToolServer = { open: async () => ({ tools: [], close: () => new Promise(() => {}) }) };
  const opening: ToolServer = { open: () => new Promise(() => {}) };
  const tools = openTools({ hanging, opening }, 10);
  const { signal } = new AbortController();
  await tools.server('hanging', signal);
  void tools.server('opening', signal).catch(() => {});
  await tools.close();
  await expect(tools.server('hanging', signal)).rejects.toThrow('The run is over: "hanging" is closed.');
});

describe('definitions are refused', () => {
  const { server } = exampleServer();
  it.each([
    [
      'a tool that nobody offers',
      () => scenarioOf([leafWith('a', ['web/get'], () => [])], server),
      'Leaf "a" declares the tool "web/get", which the scenario does not offer (it offers files). Add it',
    ],
    [
      'a tool whose name is none',
      () => leafWith('a', ['a b'], () => []),
      'Leaf "a" declares the tool "a b". Write "server", "server/tool", or one of web_search, web_fetch.',
    ],
    [
      'a server that is none',
      () => scenarioOf([leafWith('a', [], () => [])], {} as never),
      'Scenario "s" has tools.files: an object. Give a tool server',
    ],
    [
      "a server with a vendor tool's name",
      () =>
        defineScenario({
          name: 's',
          thesis: 't',
          domains: [leafWith('a', [], () => [])],
          tools: { web_search: server },
        }),
      'has tools named "web_search"',
    ],
  ])('%s', (_, define, message) => {
    expect(define).toThrow(message);
  });

  it('but a vendor tool needs no server', () => {
    expect(scenarioOf([leafWith('a', ['web_search'], () => [])], server).domains).toHaveLength(1);
  });
});
