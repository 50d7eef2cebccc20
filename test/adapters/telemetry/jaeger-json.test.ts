/** The trace of a run that is told again, as Jaeger's page would take it from a file. */
import { describe, expect, it } from 'vitest';
import { jaegerJson } from '../../../src/adapters/telemetry/jaeger-json.ts';
import { replaySpans } from '../../../src/adapters/telemetry/replay.ts';
import { run } from '../../../src/index.ts';
import type { RunEvent } from '../../../src/protocol/run-event.ts';
import { pageFile, pageProblems, tagOf, treeOf, type PageSpan, type PageTrace } from '../../support/jaeger-page.ts';
import research from '../../../scenarios/us-tech-2008.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { CRITICAL, draft, tree, world as worldAt, type Script, type WorldOptions } from '../../support/world.ts';

/** Not in 1970, where the page takes an instant for a missing one. */
const world = (shape: Parameters<typeof worldAt>[0], script: Script = {}, options: WorldOptions = {}) =>
  worldAt(shape, script, { ...options, clock: new VirtualClock(Date.UTC(2026, 10, 20)) });
const serviceOf = (tier: string): string => `espalier-${tier}`;
const fileOf = (events: readonly RunEvent[]): string => [...jaegerJson(replaySpans(events, { serviceOf }))].join('');

/** The one trace of a run, on virtual time from a given instant on. */
async function traceOf(shape: number[], script: Script = {}, options: WorldOptions = {}): Promise<PageTrace> {
  const run = world(shape, script, options);
  await run.run();
  const [trace, ...others] = pageFile(fileOf(run.events));
  expect(others).toEqual([]);
  return trace as PageTrace;
}
const nodesOf = ({ spans }: PageTrace): PageSpan[] =>
  spans.filter((span) => tagOf(span, 'gen_ai.operation.name') === 'invoke_agent');

describe('a run as Jaeger JSON', () => {
  it.each<[string, number[], Script, WorldOptions]>([
    ['complete', [3, 5], {}, {}],
    ['deep', [2, 1, 2, 2], {}, {}],
    ['with a leaf that fails three times', [2, 2], {}, { faults: ['root/d0/l1=throw'] }],
    ['with a domain that cannot plan', [2, 2], {}, { faults: ['root/d1:plan=throw'] }],
    ['with a synthesis that hangs', [2, 2], {}, { faults: ['root/d0:synthesize=hang'] }],
    ['cut off by its deadline', [2, 2], {}, { faults: ['root/d0/l0=hang'], deadline: '10s' }],
    ['whose depth is spent', [2, 2, 2], {}, { maxDepth: 2 }],
    [
      'that escalates',
      [2, 2],
      { attempt: ({ task }) => Promise.resolve(draft(task.path, task.path === 'root/d1/l0' ? CRITICAL : {})) },
      {},
    ],
  ])('%s: the page has nothing to mend', async (_, shape, script, options) => {
    const trace = await traceOf(shape, script, options);
    expect(pageProblems([trace])).toEqual([]);
    const { roots } = treeOf(trace.spans);
    expect(roots.map(({ operationName }) => operationName)).toEqual(['invoke_workflow tree']);
  });

  it('is whole of the research run, on the real clock', async () => {
    const events: RunEvent[] = [];
    await run(research, { onEvent: (event) => void events.push(event) });
    const [trace, ...others] = pageFile(fileOf(events));
    expect(others).toEqual([]);
    expect(pageProblems([trace as PageTrace])).toEqual([]);
    expect(nodesOf(trace as PageTrace)).toHaveLength(19);
    expect(trace?.spans.filter(({ operationName }) => operationName === 'escalation')).toHaveLength(3);
    const services = Object.values(trace?.processes ?? {}).map(({ serviceName }) => serviceName);
    expect(services).toEqual(['espalier-root', 'espalier-domain', 'espalier-leaf']);
  });

  it('hangs every node below the one it belongs to, under a service for each tier', async () => {
    const trace = await traceOf([2, 3]);
    const { childrenOf, roots } = treeOf(trace.spans);
    const paths = (span: PageSpan, above: string): string[] =>
      childrenOf(span).flatMap((child) => {
        const own = tagOf(child, 'gen_ai.operation.name') === 'invoke_agent' ? tagOf(child, 'espalier.path') : above;
        return own === above ? paths(child, above) : [`${String(own)} in ${above}`, ...paths(child, String(own))];
      });
    expect(paths(roots[0] as PageSpan, 'run').sort()).toEqual(
      [
        'root in run',
        ...['d0', 'd1'].flatMap((domain) => [
          `root/${domain} in root`,
          ...['l0', 'l1', 'l2'].map((leaf) => `root/${domain}/${leaf} in root/${domain}`),
        ]),
      ].sort(),
    );
    for (const span of nodesOf(trace)) {
      const { serviceName = '' } = trace.processes[span.processID] ?? {};
      expect(serviceName).toBe(`espalier-${String(tagOf(span, 'espalier.tier'))}`);
    }
  });

  it('links an escalation to the leaf that it came from', async () => {
    const { spans, traceID } = await traceOf([2, 2], {
      attempt: ({ task }) => Promise.resolve(draft(task.path, task.path === 'root/d1/l0' ? CRITICAL : {})),
    });
    const linked = spans.filter(({ references }) => references.length > 1);
    const leaf = spans.find(
      (span) => span.operationName === 'invoke_agent l0' && tagOf(span, 'espalier.path') === 'root/d1/l0',
    );
    expect(linked.map(({ operationName, references }) => [operationName, references[1]])).toEqual([
      ['escalation', { refType: 'FOLLOWS_FROM', traceID, spanID: leaf?.spanID }],
    ]);
  });

  it('is the same file every time', async () => {
    const run = world([2, 2], {}, { faults: ['root/d0/l1=throw'] });
    await run.run();
    expect(fileOf(run.events)).toBe(fileOf(structuredClone(run.events)));
  });

  it('holds nothing of what was asked and found', async () => {
    const run = world(tree([2, 2], { scenario: { thesis: 'THESIS-9f' } }), {
      attempt: ({ task }) =>
        Promise.resolve(draft(task.path, { statement: 'SECRET-9f', value: 12_345.5, ...CRITICAL })),
    });
    await run.run();
    expect(JSON.stringify(run.events)).toContain('SECRET-9f');
    expect(fileOf(run.events)).not.toMatch(/SECRET-9f|THESIS-9f|12345\.5|it rings/);
  });
});

describe('the check against the page', () => {
  const events = world([2, 2]);
  const broken: [what: string, breakIt: (spans: PageSpan[], trace: PageTrace) => void, problem: RegExp][] = [
    ['a process', (_, trace) => void (trace.processes = {}), /has no process/],
    ['a parent', (spans) => void spans.splice(1, 1), /which is not there/],
    ['a root', ([root, first]) => void root?.references.push(childOf(first)), /hangs in a circle/],
    [
      'an id',
      ([, first, second]) => void Object.assign(second as PageSpan, { spanID: first?.spanID }),
      /is there twice/,
    ],
    ['a link before the parent', ([, , third]) => void third?.references.unshift(linkTo(third)), /no parent/],
    ['a tag', ([root]) => void root?.tags.push(...root.tags.slice(0, 1)), /the tag .* twice/],
    ['a status', ([root]) => void set(root, 'espalier.status', 'partial'), /is partial, and not red/],
    ['an end', ([, first]) => void Object.assign(first as PageSpan, { duration: 9e12 }), /ends after its parent/],
    [
      'a start',
      ([, , third]) => void Object.assign(third as PageSpan, { startTime: 1e15 }),
      /starts before its parent/,
    ],
    ['an instant', (spans) => void touch(spans), /touches the step before it/],
    ['a trace', (spans) => void Object.assign(spans[1] as PageSpan, { traceID: 'f'.repeat(32) }), /of another trace/],
  ];
  it.each(broken)('sees what is done to %s', async (_, breakIt, problem) => {
    if (events.events.length === 0) await events.run();
    const [trace] = pageFile(fileOf(events.events));
    breakIt(trace?.spans ?? [], trace as PageTrace);
    expect(pageProblems([trace as PageTrace]).join('\n')).toMatch(problem);
  });

  it('sees an instant in milliseconds, and a number that says it is a string', async () => {
    const text = readableFile();
    expect(() => pageFile(text)).not.toThrow();
    expect(() => pageFile(text.replaceAll(/"startTime":(\d+)000/g, '"startTime":$1'))).toThrow();
    expect(() => pageFile(text.replace('"type":"int64"', '"type":"string"'))).toThrow();
  });
  const readableFile = (): string => fileOf(events.events);
});

const childOf = (span?: PageSpan) => ({
  refType: 'CHILD_OF' as const,
  traceID: span?.traceID ?? '',
  spanID: span?.spanID ?? '',
});
const touch = (spans: PageSpan[]): void => {
  const [plan, gather] = ['plan', 'gather'].map((name) => spans.find(({ operationName }) => operationName === name));
  Object.assign(plan as PageSpan, { startTime: (gather?.startTime ?? 0) - 1, duration: 1 });
};
const linkTo = (span: PageSpan) => ({ refType: 'FOLLOWS_FROM' as const, traceID: 'e'.repeat(32), spanID: span.spanID });
const set = (span: PageSpan | undefined, key: string, value: string): void => {
  const tag = span?.tags.find((one) => one.key === key);
  if (tag?.type === 'string') tag.value = value;
};
