/** Runs in a real Jaeger, with the configuration that is shipped: sent over OTLP, read back by its query API. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { said } from '../cli/said.ts';
import { workspace } from '../cli/command.ts';
import { JAEGER, startJaeger, WITHOUT_JAEGER, type JaegerServer } from '../support/jaeger-server.ts';
import { pageFile, pageProblems, tagOf, treeOf, type PageSpan, type PageTrace } from '../support/jaeger-page.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const SCENARIO = fileURLToPath(new URL('../../scenarios/us-tech-2008.ts', import.meta.url));
const SERVICES = ['espalier-domain', 'espalier-leaf', 'espalier-root'];

/** In the place of Prometheus: keeps what came, and where. */
async function metricsReceiver() {
  const posts: { path: string; text: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      posts.push({ path: request.url ?? '', text: plain.toString('latin1') });
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, posts, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.skipIf(JAEGER === undefined)(`a real Jaeger${JAEGER === undefined ? ` (${WITHOUT_JAEGER})` : ''}`, () => {
  const at = workspace();
  const store = ['--store', `${at.path}/runs.db`];
  let jaeger: JaegerServer;
  let metrics: Awaited<ReturnType<typeof metricsReceiver>>;
  /** As the server answers it, and as the command writes it. */
  const runs: { runId: string; sent: PageTrace; written: PageTrace }[] = [];

  async function run(...args: string[]): Promise<void> {
    const all = ['run', SCENARIO, '--otel', '--out', `${at.path}/out`, ...store, ...args];
    const child = spawn(process.execPath, ['--conditions=espalier-source', MAIN, ...all], {
      env: { PATH: process.env['PATH'], NO_COLOR: '1', OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlp },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    await once(child, 'close');
    expect(stderr).not.toMatch(/delivered/);
    const { stdout } = await said('trace', 'latest', '--jaeger', '-', ...store);
    const [written] = pageFile(stdout);
    if (!written) throw new Error('no trace');
    const sent = await vi.waitFor(
      async () => {
        const [trace] = pageFile((await jaeger.trace(written.traceID)) ?? '');
        expect(trace?.spans).toHaveLength(written.spans.length);
        return trace as PageTrace;
      },
      { timeout: 10_000, interval: 50 },
    );
    runs.push({ runId: String(tagOf(written.spans[0] as PageSpan, 'espalier.run.id')), sent, written });
  }
  const [complete, partial] = [() => runs[0] as (typeof runs)[0], () => runs[1] as (typeof runs)[0]];

  beforeAll(async () => {
    metrics = await metricsReceiver();
    jaeger = await startJaeger(metrics.url);
    await run();
    await run('--fault', 'root/sector/customer-demand=throw');
  }, 60_000);
  afterAll(async () => {
    await jaeger[Symbol.asyncDispose]();
    metrics.server.closeAllConnections();
    metrics.server.close();
    at[Symbol.dispose]();
  });

  it('has a service for each tier, and nothing for the page to mend', async () => {
    expect(await jaeger.services()).toEqual(SERVICES);
    for (const { sent } of runs) expect(pageProblems([sent])).toEqual([]);
  });

  it('gives back the same spans: ids, names, times, tags, links', () => {
    for (const { sent, written } of runs) expect(comparable(sent)).toEqual(comparable(written));
  });

  it('gives back the same tree, with every node once', () => {
    for (const { sent, written } of runs) {
      expect(outline(sent)).toEqual(outline(written));
      const paths = sent.spans
        .filter((span) => tagOf(span, 'gen_ai.operation.name') === 'invoke_agent')
        .map((span) => tagOf(span, 'espalier.path'));
      expect([paths.length, new Set(paths).size]).toEqual([19, 19]);
    }
  });

  it('finds a run by its id, and the partial one by its status', async () => {
    const found = (tags: Record<string, string>) => jaeger.search('espalier-root', tags);
    expect(await found({ 'espalier.run.id': complete().runId })).toEqual([complete().sent.traceID]);
    expect(await found({ 'espalier.run.id': partial().runId })).toEqual([partial().sent.traceID]);
    expect(await found({ 'espalier.run.id': 'nobody' })).toEqual([]);
    expect(await found({ 'espalier.status': 'partial' })).toEqual([partial().sent.traceID]);
    expect(await found({ 'error.type': 'partial' })).toEqual([partial().sent.traceID]);
    // Jaeger's memory finds it so from 2.17 on; before that it finds none.
    expect([[], [partial().sent.traceID]]).toContainEqual(await found({ error: 'true' }));
    expect(await jaeger.search('espalier-leaf', { 'gen_ai.agent.name': 'customer-demand' })).toHaveLength(2);
  });

  it('takes the OTLP file of a stored run for the same trace', async () => {
    const { stdout } = await said('trace', partial().runId, '--otlp', '-', ...store);
    const [trace] = pageFile(await jaeger.transform(stdout));
    expect(comparable(trace as PageTrace)).toEqual(comparable(partial().written));
  });

  it('passes metrics on: those of the runs, and those that it makes of spans', async () => {
    await vi.waitFor(() => expect(metrics.posts.map(({ text }) => text).join('')).toContain('traces.span.metrics'), {
      timeout: 10_000,
    });
    expect(new Set(metrics.posts.map(({ path }) => path))).toEqual(new Set(['/v1/metrics']));
    expect(metrics.posts.map(({ text }) => text).join('')).toContain('espalier.node.duration');
  });
});

/** Without the order of things that have none. */
function comparable({ spans, processes }: PageTrace): unknown[] {
  const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);
  return spans
    .map(({ processID, tags, logs, warnings: _, ...span }) => ({
      ...span,
      service: processes[processID]?.serviceName,
      tags: tags.toSorted(byKey),
      logs: logs.map(({ fields, ...log }) => ({ ...log, fields: fields.toSorted(byKey) })),
    }))
    .sort((a, b) => (a.spanID < b.spanID ? -1 : 1));
}

/** Every span below what it hangs below, by names and paths. */
function outline({ spans }: PageTrace): string[] {
  const { roots, childrenOf } = treeOf(spans);
  const below = (span: PageSpan, above: string): string[] => {
    const line = `${above} / ${span.operationName} ${String(tagOf(span, 'espalier.path') ?? '')}`;
    return [line, ...childrenOf(span).flatMap((child) => below(child, line))];
  };
  return roots.flatMap((root) => below(root, '')).sort();
}
