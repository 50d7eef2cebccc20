/**
 * How spans of a run are started and ended.
 *  1. Where ids are derived, a span is given its own; otherwise the SDK makes them.
 *  2. Every span ends a microsecond early, and what took no time lasts one: Jaeger's critical path does not see a span
 *     that touches the next, and its server marks one that ends when it begins, or after its parent.
 *  3. A span of anything but a complete end is an error, with its status as the message.
 */
import { SpanStatusCode, type Attributes, type Context, type HrTime, type Link } from '@opentelemetry/api';
import type { Span, Tracer } from '@opentelemetry/api';
import type { Tier } from '../../protocol/report.ts';
import { ATTRIBUTE } from './names.ts';
import type { DerivedSpanIds, SpanIds } from './span-ids.ts';

export type SpanMaker = {
  readonly tracerOf: (tier: Tier) => Tracer;
  readonly ids: DerivedSpanIds | undefined;
};
/** Instants in epoch ms. */
type Start = { name: string; tier: Tier; at: number; attributes: Attributes; ids: SpanIds; links?: Link[] };

export type OpenSpans = {
  readonly begin: (start: Start, under: Context) => Span;
  /** Ends it with a status that it says. */
  readonly endWith: (span: Span, status: string, at: number) => void;
  /** Ends it with a status that it has said already, or that goes without saying. */
  readonly end: (span: Span, status: string, at: number) => void;
};

export function openSpans({ tracerOf, ids }: SpanMaker): OpenSpans {
  const begunAt = new WeakMap<Span, number>();
  const end = (span: Span, status: string, at: number): void => {
    if (status !== 'complete') {
      span.setAttribute(ATTRIBUTE.errorType, status);
      span.setStatus({ code: SpanStatusCode.ERROR, message: status });
    }
    span.end(justBefore(at, begunAt.get(span)));
  };
  return {
    begin({ name, tier, at, attributes, links = [], ids: own }, under) {
      const start = (): Span => tracerOf(tier).startSpan(name, { startTime: new Date(at), attributes, links }, under);
      const span = ids ? ids.giving(own, start) : start();
      begunAt.set(span, at);
      return span;
    },
    end,
    endWith(span, status, at) {
      span.setAttribute(ATTRIBUTE.status, status);
      end(span, status, at);
    },
  };
}

/** Where a span that began at `from` ends, both in ms. */
function justBefore(at: number, from = 0): HrTime {
  const us = Math.max(from * 1e3 + 1, at * 1e3 - 1);
  return [Math.floor(us / 1e6), Math.round(us % 1e6) * 1e3];
}
