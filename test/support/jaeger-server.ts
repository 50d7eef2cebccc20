/** A real Jaeger with the configuration that is shipped, on loopback and free ports, where its program is at hand. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { freePorts } from './free-ports.ts';

/** The program; undefined where there is none. */
export const JAEGER = [process.env['JAEGER_BIN'] ?? '', 'jaeger'].find(
  (file) => file !== '' && spawnSync(file, ['version'], { stdio: 'ignore' }).status === 0,
);
export const WITHOUT_JAEGER = 'SKIPPED: there is no jaeger on PATH, and JAEGER_BIN names none';

const CONFIG = 'deploy/jaeger.yaml';
const READY_MS = 20_000;

export type JaegerServer = {
  /** Where OTLP/http is taken. */
  readonly otlp: string;
  services(): Promise<string[]>;
  /** The ids of traces of which a span of this service has these tags. */
  search(service: string, tags: Readonly<Record<string, string>>): Promise<string[]>;
  /** A trace in the JSON of its page; undefined of one that is not there. */
  trace(id: string): Promise<string | undefined>;
  /** A file of OTLP/JSON in the JSON of its page. */
  transform(otlp: string): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** `metricsAt`: an address in the place of Prometheus's. */
export async function startJaeger(metricsAt: string): Promise<JaegerServer> {
  const [otlpPort, grpcPort, pagePort, pageGrpcPort, healthPort] = await freePorts(5);
  const settings = [
    `receivers.otlp.protocols.http.endpoint=127.0.0.1:${otlpPort}`,
    `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${grpcPort}`,
    `extensions.jaeger_query.http.endpoint=127.0.0.1:${pagePort}`,
    `extensions.jaeger_query.grpc.endpoint=127.0.0.1:${pageGrpcPort}`,
    `extensions.healthcheckv2.http.endpoint=127.0.0.1:${healthPort}`,
    `exporters.otlphttp.endpoint=${metricsAt}`,
    `extensions.jaeger_storage.metric_backends.span_metrics.prometheus.endpoint=${metricsAt}`,
    'connectors.spanmetrics.metrics_flush_interval=200ms',
  ];
  const child = spawn(JAEGER ?? 'jaeger', ['--config', CONFIG, ...settings.flatMap((each) => ['--set', each])], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const page = `http://127.0.0.1:${pagePort}`;
  const get = async (path: string): Promise<Response> => fetch(`${page}${path}`);
  const untilThere = async (): Promise<void> => {
    const until = performance.now() + READY_MS;
    while (!(await get('/api/v3/services').catch(() => undefined))?.ok) {
      if (child.exitCode !== null || performance.now() > until) throw new Error(`jaeger is not ready: ${said}`);
      await after(50);
    }
  };
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL'); // it keeps nothing
    await closed;
  };
  try {
    await untilThere();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    otlp: `http://127.0.0.1:${otlpPort}`,
    async services() {
      const { services = [] } = (await (await get('/api/v3/services')).json()) as { services?: string[] };
      return services.sort();
    },
    async search(service, tags) {
      const wanted = { service, tags: JSON.stringify(tags), limit: '100', lookback: '1h' };
      const older = await get(`/api/traces?${new URLSearchParams(wanted).toString()}`);
      return idsIn(older.status === 404 ? await get(`/api/v3/traces?${newer(service, tags).toString()}`) : older);
    },
    async trace(id) {
      const answer = await get(`/api/traces/${id}`);
      return answer.ok ? answer.text() : undefined;
    },
    async transform(otlp) {
      const answer = await fetch(`${page}/api/transform`, { method: 'POST', body: otlp });
      if (!answer.ok) throw new Error(`jaeger refused the file: ${await answer.text()}`);
      return answer.text();
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Releases after 2.20 search by their newer API alone; the older ones' knows no tags. */
const newer = (service: string, tags: Readonly<Record<string, string>>): URLSearchParams =>
  new URLSearchParams({
    'query.serviceName': service,
    'query.attributes': JSON.stringify(tags),
    'query.startTimeMin': new Date(Date.now() - 3_600_000).toISOString(),
    'query.startTimeMax': new Date(Date.now() + 60_000).toISOString(),
  });

async function idsIn(answer: Response): Promise<string[]> {
  const ids = (await answer.text()).matchAll(/"traceI[dD]":\s*"([\da-f]{32})"/g);
  return [...new Set(Array.from(ids, ([, id = '']) => id))].sort();
}
