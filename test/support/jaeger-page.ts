/**
 * What Jaeger's page needs of a file to show it whole, and does not say when it is missing: the page repairs, renames or
 * drops in silence. Written after what it does with a file, not after the code that writes ours.
 */
import { z } from 'zod';

const Tag = z.discriminatedUnion('type', [
  z.object({ key: z.string().min(1), type: z.literal('string'), value: z.string() }),
  z.object({ key: z.string().min(1), type: z.literal('bool'), value: z.boolean() }),
  z.object({ key: z.string().min(1), type: z.literal('int64'), value: z.int() }),
  z.object({ key: z.string().min(1), type: z.literal('float64'), value: z.number() }),
]);
/** Microseconds since 1970: at least 16 digits, so that milliseconds are not taken for them. */
const Instant = z.int().min(1e15);
/** In µs: every span ends one early, so that it does not touch the next; but what took no time lasts one. */
const SLACK = 2;
const Reference = z.object({
  refType: z.enum(['CHILD_OF', 'FOLLOWS_FROM']),
  traceID: z.string().regex(/^[\da-f]{32}$/),
  spanID: z.string().regex(/^[\da-f]{16}$/),
});
const PageSpan = z.object({
  traceID: z.string(),
  spanID: z.string().regex(/^[\da-f]{16}$/),
  operationName: z.string().min(1),
  references: z.array(Reference),
  startTime: Instant,
  duration: z.int().min(0),
  tags: z.array(Tag),
  logs: z.array(z.object({ timestamp: Instant, fields: z.array(Tag) })),
  processID: z.string(),
  warnings: z.null(),
});
const PageTrace = z.object({
  traceID: z.string().regex(/^[\da-f]{32}$/),
  spans: z.array(PageSpan).min(1),
  processes: z.record(z.string(), z.object({ serviceName: z.string().min(1), tags: z.array(Tag) })),
  warnings: z.null(),
});
const PageFile = z.object({ data: z.array(PageTrace).min(1) });
export type PageTrace = z.infer<typeof PageTrace>;
export type PageSpan = z.infer<typeof PageSpan>;

/** @throws what is wrong with its shape, as zod says it */
export const pageFile = (text: string): PageTrace[] => PageFile.parse(JSON.parse(text)).data;
export const tagOf = ({ tags }: PageSpan, key: string): string | number | boolean | undefined =>
  tags.find((tag) => tag.key === key)?.value;

/** What would be wrong on the page, one sentence each. */
export function pageProblems(traces: readonly PageTrace[]): string[] {
  const ids = traces.map(({ traceID }) => traceID);
  return [
    ...repeated(ids).map((id) => `trace ${id} is there twice: only one of them is shown`),
    ...traces.flatMap((trace) => problemsOf(trace)),
  ];
}

function problemsOf({ traceID, spans, processes }: PageTrace): string[] {
  const problems = repeated(spans.map(({ spanID }) => spanID)).map((id) => `span ${id} is there twice`);
  const byId = new Map(spans.map((span) => [span.spanID, span]));
  const say = (span: PageSpan, what: string): void => {
    problems.push(`${span.operationName} (${span.spanID}) ${what}`);
  };
  for (const span of spans) {
    const { references, tags, logs, startTime, duration } = span;
    const ownEnd = startTime + duration;
    if (span.traceID !== traceID) say(span, 'is of another trace');
    if (!Object.hasOwn(processes, span.processID)) say(span, 'has no process: its service is unknown');
    for (const reference of references) {
      const isOwn = reference.traceID === traceID;
      if (isOwn && !byId.has(reference.spanID)) say(span, `refers to ${reference.spanID}, which is not there`);
      if (isOwn && reference.spanID === span.spanID) say(span, 'refers to itself');
    }
    const [first] = references;
    if (first && (first.refType !== 'CHILD_OF' || first.traceID !== traceID)) {
      say(span, 'has a first reference that is no parent: the page hangs it there all the same');
    }
    for (const key of repeated(tags.map(({ key }) => key))) say(span, `has the tag ${key} twice`);
    const kind = tagOf(span, 'span.kind');
    if (!['internal', 'server', 'client', 'producer', 'consumer'].includes(String(kind))) say(span, 'has no kind');
    const status = tagOf(span, 'espalier.status') ?? tagOf(span, 'error.type') ?? 'complete';
    const isMarked = tagOf(span, 'error') === true;
    if (isMarked !== (status !== 'complete')) say(span, `is ${String(status)}, and ${isMarked ? '' : 'not '}red`);
    for (const { timestamp, fields } of logs) {
      if (!fields.some(({ key }) => key === 'event')) say(span, 'has an event without a name');
      if (timestamp < startTime || timestamp > ownEnd) say(span, 'has an event outside its own time');
    }
    const parent = first && byId.get(first.spanID);
    if (parent && startTime < parent.startTime) say(span, 'starts before its parent');
    if (parent && ownEnd - SLACK > parent.startTime + parent.duration) say(span, 'ends after its parent');
    if (duration === 0) say(span, 'takes no time: a server marks it as one that ended before it began');
  }
  const { unreachable, childrenOf } = treeOf(spans);
  for (const parent of spans) {
    const steps = childrenOf(parent).filter((span) => tagOf(span, 'espalier.tier') === undefined);
    const ends = new Set(steps.map(({ startTime, duration }) => startTime + duration));
    for (const next of steps) {
      if (ends.has(next.startTime)) say(next, 'touches the step before it: the critical path goes round that one');
    }
  }
  for (const span of unreachable) say(span, 'hangs in a circle: the page does not show it');
  return problems;
}

/** As the page builds it: below the first reference that is there; what has none is a root. */
export function treeOf(spans: readonly PageSpan[]): {
  roots: PageSpan[];
  childrenOf: (span: PageSpan) => PageSpan[];
  unreachable: PageSpan[];
} {
  const ids = new Set(spans.map(({ spanID }) => spanID));
  const parentOf = ({ references }: PageSpan): string | undefined =>
    references.find(({ spanID }) => ids.has(spanID))?.spanID;
  const byParent = Map.groupBy(spans, parentOf);
  const childrenOf = ({ spanID }: PageSpan): PageSpan[] => byParent.get(spanID) ?? [];
  const roots = byParent.get(undefined) ?? [];
  const reached = new Set(roots);
  for (const span of reached) for (const child of childrenOf(span)) reached.add(child);
  return { roots, childrenOf, unreachable: spans.filter((span) => !reached.has(span)) };
}

const repeated = (keys: readonly string[]): string[] => [
  ...new Set(keys.filter((key, index) => keys.indexOf(key) !== index)),
];
