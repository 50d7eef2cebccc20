/** `--otel` end to end: the command in a process of its own, and what takes OTLP over HTTP in this one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { trace } from '@opentelemetry/api';
import { describe, expect, it, vi } from 'vitest';
import { openOtel } from '../../src/cli/otel.ts';
import { run } from '../../src/index.ts';
import { recorder } from '../adapters/telemetry/recorder.ts';
import tiny from '../fixtures/scenarios/tiny.ts';
import { TINY, workspace } from './command.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

async function espalier(args: readonly string[], env: Record<string, string> = {}, nodeArgs: readonly string[] = []) {
  using at = workspace();
  const child = spawn(
    process.execPath,
    ['--conditions=espalier-source', ...nodeArgs, MAIN, 'run', TINY, '--out', 'o', ...args],
    { cwd: at.path, env: { PATH: process.env['PATH'], NO_COLOR: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const said = { stdout: '', stderr: '' };
  let deliveredAt = performance.now();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said.stdout += chunk;
    deliveredAt = performance.now();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said.stderr += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  /** `flushMs`: from the brief to the end of the process. */
  return { code, ...said, flushMs: performance.now() - deliveredAt };
}

type Post = { path: string; type: string | undefined; body: Buffer };
type Answer = (path: string, response: ServerResponse) => void;
const take: Answer = (_, response) => void response.end();

/** Listens on a free port until disposed of. */
async function receiver(answer: Answer = take) {
  const posts: Post[] = [];
  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? '';
    posts.push({
      path: `${request.method} ${path}`,
      type: request.headers['content-type'],
      body: Buffer.concat(chunks),
    });
    answer(path, response);
  };
  const server = createServer((request, response) => void onRequest(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    posts,
    /** All that came to a path. Text stands in protobuf as it is. */
    textAt: (path: string) =>
      Buffer.concat(posts.filter((post) => post.path === `POST ${path}`).map(({ body }) => body)).toString('latin1'),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port at which nobody listens. */
async function deadEnd(): Promise<string> {
  await using once = await receiver();
  return once.url;
}

const linesAboutTelemetry = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => /telemetry|otel|metrics|opentelemetry/i.test(line));
const plain = espalier(['--json']);
/** A brief without what differs from run to run. */
const sense = (stdout: string): unknown => (JSON.parse(stdout) as { digest: string }).digest;

describe.concurrent('espalier run --otel', () => {
  it('sends traces and metrics as protobuf over HTTP, and of content nothing', async () => {
    await using collector = await receiver();
    const { code, stderr } = await espalier(['--otel'], { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    expect(code).toBe(0);
    expect(linesAboutTelemetry(stderr)).toEqual([]);
    expect(new Set(collector.posts.map(({ path }) => path))).toEqual(new Set(['POST /v1/traces', 'POST /v1/metrics']));
    for (const { type, body } of collector.posts) {
      expect(type).toBe('application/x-protobuf');
      expect(body.length).toBeGreaterThan(0);
    }
    const traces = collector.textAt('/v1/traces');
    for (const name of ['invoke_workflow tiny', ...'root macro company jobs receipts ibm aapl'.split(' ')]) {
      const span = name.includes(' ') ? name : `invoke_agent ${name}`;
      expect(traces.split(span)).toHaveLength(2); // each once
    }
    for (const text of ['service.name', 'espalier.retention.recall', 'root/macro/jobs', 'escalation']) {
      expect(traces).toContain(text);
    }
    const metrics = collector.textAt('/v1/metrics');
    for (const name of [
      'espalier.node.duration',
      'espalier.synthesis.retention.recall',
      'espalier.run.depth.observed',
    ]) {
      expect(metrics).toContain(name);
    }
    for (const content of ['Unemployment stands', 'Hold US', 'sahm', 'The economy']) {
      expect(traces + metrics).not.toContain(content);
    }
  });

  it('is meant when the environment names a collector, which is told as the OTEL_* variables say', async () => {
    await using collector = await receiver();
    const { code } = await espalier([], {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/prefix`,
      OTEL_SERVICE_NAME: 'research desk',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=trial',
      OTEL_METRICS_EXPORTER: 'none',
    });
    expect(code).toBe(0);
    expect(new Set(collector.posts.map(({ path }) => path))).toEqual(new Set(['POST /prefix/v1/traces']));
    const traces = collector.textAt('/prefix/v1/traces');
    for (const text of ['research desk', 'deployment.environment']) expect(traces).toContain(text);
  });

  it('sends no trace that the sampler leaves out, and nothing at all when the SDK is disabled', async () => {
    await using collector = await receiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    await espalier(['--otel'], { ...env, OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    expect(new Set(collector.posts.map(({ path }) => path))).toEqual(new Set(['POST /v1/metrics']));
    collector.posts.length = 0;
    const { code, stderr } = await espalier(['--otel'], { ...env, OTEL_SDK_DISABLED: 'true' });
    expect(code).toBe(0);
    expect(linesAboutTelemetry(stderr)).toEqual(['Note: OTEL_SDK_DISABLED is set: --otel sends nothing.']);
    expect(collector.posts).toEqual([]);
  });

  it.each([
    ['nobody listens', deadEnd, 'did not take it within 2 s'],
    ['the address makes no sense', () => Promise.resolve('localhost:4318'), 'was not delivered'],
  ])('loses a line and two seconds, no more, when %s', async (_, endpoint, why) => {
    const url = await endpoint();
    const { code, stdout, stderr, flushMs } = await espalier(['--otel', '--json'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '60000', // for so long it would try, were it let
    });
    expect(code).toBe(0);
    expect(sense(stdout)).toBe(sense((await plain).stdout));
    expect(linesAboutTelemetry(stderr)).toEqual([
      expect.stringMatching(/^espalier: Telemetry.*Start a collector there/),
    ]);
    expect(stderr).toContain(why);
    expect(flushMs).toBeLessThan(30_000); // 2 s, and what a busy machine adds
  });

  it('does not wait for a collector that never answers', async () => {
    await using collector = await receiver(() => {});
    const { code, stderr, flushMs } = await espalier(['--otel'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
    });
    expect(code).toBe(0);
    expect(linesAboutTelemetry(stderr)).toEqual([expect.stringContaining('did not take it within 2 s')]);
    expect(flushMs).toBeLessThan(30_000);
  });

  it('says what to do about a server that takes traces alone', async () => {
    await using jaeger = await receiver((path, response) => {
      response.statusCode = path === '/v1/traces' ? 200 : 404;
      response.end();
    });
    const { code, stderr } = await espalier(['--otel'], { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.url });
    expect(code).toBe(0);
    expect(linesAboutTelemetry(stderr)).toEqual([
      expect.stringMatching(/\(metrics\) .* it answered 404\. .* set OTEL_METRICS_EXPORTER=none\.$/),
    ]);
  });

  it('says what to install when the SDK is not there: misuse when asked for, a note when only the environment is', async () => {
    const hook = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve(specifier, context, next) {
        if (!specifier.startsWith('@opentelemetry/sdk-')) return next(specifier, context);
        throw Object.assign(new Error('Cannot find package ' + specifier), { code: 'ERR_MODULE_NOT_FOUND' });
      } });`;
    const without = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
    const asked = await espalier(['--otel'], {}, without);
    expect(asked).toMatchObject({ code: 2, stdout: '' });
    expect(asked.stderr).toMatch(/^espalier: The packages .* npm install @opentelemetry\/sdk-trace@3 .*\n$/);
    const named = await espalier([], { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' }, without);
    expect(named.code).toBe(0);
    expect(linesAboutTelemetry(named.stderr)).toEqual([
      expect.stringMatching(/^Note: no telemetry is sent\. .* npm install/),
    ]);
  });

  it('is not loaded when nobody asks for it', async () => {
    const hook = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve(specifier, context, next) {
        if (/sdk-trace|sdk-metrics|otlp/.test(specifier)) process.stderr.write('LOADED ' + specifier + '\\n');
        return next(specifier, context);
      } });`;
    const { code, stderr } = await espalier([], {}, ['--import', `data:text/javascript,${encodeURIComponent(hook)}`]);
    expect(code).toBe(0);
    expect(stderr).not.toContain('LOADED');
  });
});

it('tells an SDK that the process has registered already, and leaves it there', async () => {
  await using collector = await receiver();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  const { tracerProvider, spans } = recorder();
  trace.setGlobalTracerProvider(tracerProvider);
  const lines: string[] = [];
  const otel = await openOtel({}, (line) => lines.push(line));
  await run(tiny, { ...(otel && { telemetry: otel.telemetry }) });
  await otel?.close();
  vi.unstubAllEnvs();
  expect(spans().map(({ name }) => name)).toContain('invoke_agent jobs');
  expect(new Set(collector.posts.map(({ path }) => path))).toEqual(new Set(['POST /v1/metrics']));
  expect(trace.setGlobalTracerProvider(tracerProvider)).toBe(false); // still registered
  expect(lines).toEqual([]);
  trace.disable();
});
