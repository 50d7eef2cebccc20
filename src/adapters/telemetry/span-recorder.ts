/**
 * A tracer provider that keeps the spans it is given, for a run that is told again from its record: a file of them
 * needs no SDK, and nothing of a run is left out by an SDK's limits.
 *  1. A span is kept from its start on, in the order of their starts; what is said of it after its end is ignored.
 *  2. Times are those it is given: nothing here reads a clock.
 */
import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type AttributeValue,
  type Context,
  type Exception,
  type Link,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  type TimeInput,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';

/** Instants in epoch ms. */
export type RecordedSpan = {
  /** The `service.name` of the provider that made it. */
  readonly service: string;
  readonly scope: { readonly name: string; readonly version?: string };
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  name: string;
  readonly kind: SpanKind;
  readonly startedAt: number;
  /** Undefined while nobody has ended it. */
  endedAt?: number;
  readonly attributes: Attributes;
  readonly events: { readonly name: string; readonly at: number; readonly attributes: Attributes }[];
  readonly links: Link[];
  status: SpanStatus;
};

export type SpanRecorder = {
  /** One for each service; all keep their spans here. */
  providerOf(service: string): TracerProvider;
  readonly spans: RecordedSpan[];
};

/** What gives spans their ids, as an SDK has it. */
export type IdGenerator = { generateTraceId(): string; generateSpanId(): string };

export function recordSpans(ids: IdGenerator): SpanRecorder {
  const spans: RecordedSpan[] = [];
  const start = (made: Pick<RecordedSpan, 'service' | 'scope'>, name: string, options: SpanOptions, above: Context) => {
    const parent = options.root === true ? undefined : trace.getSpanContext(above);
    const span: RecordedSpan = {
      ...made,
      traceId: parent?.traceId ?? ids.generateTraceId(),
      spanId: ids.generateSpanId(),
      ...(parent && { parentSpanId: parent.spanId }),
      name,
      kind: options.kind ?? SpanKind.INTERNAL,
      startedAt: instantOf(options.startTime) ?? 0,
      attributes: { ...options.attributes },
      events: [],
      links: [...(options.links ?? [])],
      status: { code: SpanStatusCode.UNSET },
    };
    spans.push(span);
    return new KeptSpan(span);
  };
  return {
    spans,
    providerOf: (service) => ({
      getTracer(name, version) {
        const scope = version === undefined ? { name } : { name, version };
        return new KeepingTracer((...given) => start({ service, scope }, ...given));
      },
    }),
  };
}

type Start = (name: string, options: SpanOptions, above: Context) => Span;

class KeepingTracer implements Tracer {
  readonly #start: Start;
  constructor(start: Start) {
    this.#start = start;
  }
  startSpan(name: string, options: SpanOptions = {}, above: Context = context.active()): Span {
    return this.#start(name, options, above);
  }
  startActiveSpan<Work extends (span: Span) => unknown>(name: string, ...rest: [...unknown[], Work]): ReturnType<Work> {
    const work = rest.at(-1) as Work;
    const [options, above = context.active()] = rest.slice(0, -1) as [SpanOptions?, Context?];
    const span = this.startSpan(name, options, above);
    return context.with(trace.setSpan(above, span), () => work(span) as ReturnType<Work>);
  }
}

class KeptSpan implements Span {
  readonly #span: RecordedSpan;
  constructor(span: RecordedSpan) {
    this.#span = span;
  }
  #change(change: (span: RecordedSpan) => void): this {
    if (this.isRecording()) change(this.#span);
    return this;
  }
  spanContext(): SpanContext {
    const { traceId, spanId } = this.#span;
    return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
  }
  setAttribute(key: string, value: AttributeValue): this {
    return this.#change(({ attributes }) => (attributes[key] = value));
  }
  setAttributes(attributes: Attributes): this {
    return this.#change((span) => Object.assign(span.attributes, attributes));
  }
  addEvent(name: string, second?: Attributes | TimeInput, third?: TimeInput): this {
    const attributes = isInstant(second) ? {} : { ...second };
    const at = instantOf(isInstant(second) ? second : third) ?? this.#span.startedAt;
    return this.#change(({ events }) => events.push({ name, at, attributes }));
  }
  addLink(link: Link): this {
    return this.addLinks([link]);
  }
  addLinks(links: Link[]): this {
    return this.#change((span) => span.links.push(...links));
  }
  setStatus(status: SpanStatus): this {
    return this.#change((span) => (span.status = status));
  }
  updateName(name: string): this {
    return this.#change((span) => (span.name = name));
  }
  end(at?: TimeInput): void {
    this.#change((span) => (span.endedAt = instantOf(at) ?? span.startedAt));
  }
  isRecording(): boolean {
    return this.#span.endedAt === undefined;
  }
  recordException(exception: Exception, at?: TimeInput): void {
    const type = typeof exception === 'string' ? 'Error' : (exception.name ?? 'Error');
    this.addEvent('exception', { 'exception.type': type }, at);
  }
}

const isInstant = (given: Attributes | TimeInput | undefined): given is TimeInput =>
  typeof given === 'number' || given instanceof Date || Array.isArray(given);

function instantOf(time: TimeInput | undefined): number | undefined {
  if (time instanceof Date) return time.getTime();
  if (typeof time === 'number' || time === undefined) return time;
  const [seconds, nanoseconds] = time;
  return seconds * 1e3 + nanoseconds / 1e6;
}
