/**
 * `--otel`: what a run tells a collector.
 *  1. Telemetry changes neither the result of a run nor its exit code; what goes wrong with it is one line on stderr.
 *  2. It delays the end of a run by no more than `FLUSH_MS`.
 */
import { setTimeout as after } from 'node:timers/promises';
import { EspalierError } from '../errors.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { escapeTerminal } from '../render/escape-terminal.ts';
import { misuse, oneLine } from './misuse.ts';
import type { Sdk, Signal } from './otel-sdk.ts';

export type OtelFlags = {
  otel?: boolean;
  otelService?: 'per-tier' | 'single';
  otelContent?: boolean;
};
export type Otel = {
  readonly telemetry: Telemetry;
  /** Sends what is left, for at most 2 s, and says what could not be delivered. Never rejects. */
  close(): Promise<void>;
};

const FLUSH_MS = 2000;
const PROTOCOL = 'http/protobuf';
const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const INSTALL = [
  'npm install @opentelemetry/sdk-trace@3 @opentelemetry/sdk-metrics@3 @opentelemetry/resources@3',
  '@opentelemetry/context-async-hooks@3 @opentelemetry/exporter-trace-otlp-proto @opentelemetry/exporter-metrics-otlp-proto',
].join(' ');

/**
 * Starts the SDK when `--otel` asks for it or the environment names a collector.
 * @throws EspalierError `missing-peer` when `--otel` asks for it and its packages are not installed; `invalid-input`
 * when something is asked of a telemetry that nobody asked for
 */
export async function openOtel(flags: OtelFlags, say: (line: string) => void): Promise<Otel | undefined> {
  const { env } = process;
  const { otel: isAsked = false, otelService, otelContent = false } = flags;
  const signals = signalsIn(env, isAsked);
  if (signals.size === 0) {
    if (!isAsked) refuseUnheeded(flags);
    return undefined;
  }
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') {
    if (isAsked) say('Note: OTEL_SDK_DISABLED is set: --otel sends nothing.');
    return undefined;
  }
  const protocol = (env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? '').trim() || PROTOCOL;
  if (protocol !== PROTOCOL) say(`Note: telemetry is sent by ${PROTOCOL}, not by ${escapeTerminal(protocol)}.`);
  try {
    const { startSdk } = await loadSdk();
    const sdk = startSdk(env, { signals, services: otelService, capturesContent: otelContent });
    return { telemetry: sdk.telemetry, close: () => closeSdk(sdk, say) };
  } catch (error) {
    if (isAsked && EspalierError.isInstance(error)) throw error;
    say(`Note: no telemetry is sent. ${oneLine(error)}`);
    return undefined;
  }
}

/** What is asked for by `--otel`, by the name of a collector, or by that of the exporter; and not turned off. */
function signalsIn(env: NodeJS.ProcessEnv, isAsked: boolean): Set<Signal> {
  const valueOf = (name: string): string => (env[name] ?? '').trim();
  return new Set(
    (['traces', 'metrics'] as const).filter((signal) => {
      const own = signal.toUpperCase();
      const exporter = valueOf(`OTEL_${own}_EXPORTER`);
      if (exporter === 'none') return false;
      const isNamed = [ENDPOINT, `OTEL_EXPORTER_OTLP_${own}_ENDPOINT`].some((name) => valueOf(name) !== '');
      return isAsked || isNamed || exporter === 'otlp';
    }),
  );
}

function refuseUnheeded({ otelService, otelContent }: OtelFlags): void {
  if (otelService === undefined && otelContent === undefined) return;
  const option = otelContent === undefined ? '--otel-service' : '--otel-content';
  throw misuse(`${option} says how telemetry is sent, but none is. Add --otel, or set ${ENDPOINT}.`);
}

async function loadSdk(): Promise<typeof import('./otel-sdk.ts')> {
  try {
    return await import('./otel-sdk.ts');
  } catch (cause) {
    const what = `The packages that telemetry needs are not installed. Run: ${INSTALL}`;
    throw new EspalierError('missing-peer', what, { cause });
  }
}

async function closeSdk(sdk: Sdk, say: (line: string) => void): Promise<void> {
  const giveUp = new AbortController();
  await Promise.race([sdk.shutdown(), after(FLUSH_MS, undefined, { signal: giveUp.signal })]);
  giveUp.abort();
  const problem = problemOf(sdk);
  if (problem !== undefined) say(`espalier: ${problem}`);
}

function problemOf({ failures, pending }: Sdk): string | undefined {
  const [first] = failures;
  if (first) {
    const [signal, error] = first;
    const advice =
      signal === 'metrics' && codeOf(error) === 404
        ? 'If it takes traces only, as Jaeger does, set OTEL_METRICS_EXPORTER=none.'
        : `Start a collector there, or set ${ENDPOINT}.`;
    return `Telemetry (${signal}) was not delivered to ${placeOf(signal)}: ${reasonOf(error)}. ${advice}`;
  }
  if (pending === 0) return undefined;
  const place = placeOf('traces');
  return `Telemetry was not delivered: ${place} did not take it within 2 s. Start a collector there, or set ${ENDPOINT}.`;
}

const codeOf = (error: Error): unknown => ('code' in error ? error.code : undefined);
function reasonOf(error: Error): string {
  const code = codeOf(error);
  return typeof code === 'number' ? `it answered ${code}` : oneLine(error).replace(/\.$/, '');
}

/** Where a signal goes to, without the credentials that a URL may hold. */
function placeOf(signal: Signal): string {
  const { env } = process;
  const url = env[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`] || env[ENDPOINT] || 'http://localhost:4318';
  return URL.canParse(url) ? escapeTerminal(new URL(url).host) : 'the endpoint';
}
