/** A distributed run as a collector has it: caller and worker are processes, and each sends what it knows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/index.ts';
import type { Report } from '../../src/protocol/report.ts';
import type { RunEvent } from '../../src/protocol/run-event.ts';
import { restate, serve, services } from '../../src/restate.ts';
import { recorder } from '../adapters/telemetry/recorder.ts';
import { runEspalier, startEspalier, workspace } from '../cli/command.ts';
import { domain, leaf, scenarioOf } from '../contracts/host/bench.ts';
import { otlpReceiver } from '../support/otlp-receiver.ts';
import { expectTree, isA, pathOf } from '../support/trace-tree.ts';
import { isInstalled } from './program.ts';
import { startServer, type Server } from './server.ts';

const INSTRUMENTED = fileURLToPath(new URL('../fixtures/scenarios/instrumented.ts', import.meta.url));

describe.skipIf(!isInstalled())('the trace of a run at a Restate server', () => {
  let server: Server;
  beforeAll(async () => (server = await startServer()), 60_000);
  afterAll(() => server?.stop());

  it('is one, with every node once, and what the worker’s own code does below the node that did it', async () => {
    await using to = await otlpReceiver();
    using at = workspace();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: to.url };
    const worker = startEspalier(
      ['worker', INSTRUMENTED, '--port', '0', '--register', server.admin, '--otel'],
      at.path,
      env,
    );
    await worker.stderrSays('Registered at');
    const there = ['--host', 'restate', '--ingress', server.ingress];
    const runs: Report[] = [];
    for (let times = 0; times < 2; times++) {
      const { code, stdout, stderr } = await runEspalier(
        ['run', INSTRUMENTED, '--json', '--otel', ...there],
        at.path,
        env,
      );
      expect(code, stderr).toBe(0);
      runs.push(JSON.parse(stdout) as Report);
    }
    worker.child.kill('SIGINT'); // which sends what is left
    expect((await worker.ended).code).toBe(0);
    expect(to.problems).toEqual([]);

    const all = to.spans();
    expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(2);
    for (const { runId } of runs) {
      const events = readFileSync(join(at.path, 'runs', runId, 'events.ndjson'), 'utf8')
        .trimEnd()
        .split('\n');
      const started = events
        .map((line) => JSON.parse(line) as RunEvent)
        .flatMap(({ type, path }) => (type === 'node.started' ? [path] : []));
      expect(started).toHaveLength(7);
      const ours = all.filter(({ attributes }) => attributes['espalier.run.id'] === runId);
      expectTree(ours, 'instrumented', started);
      const nodes = new Map(ours.filter(isA('invoke_agent')).map((span) => [span.spanId, span]));
      const theirs = all.filter((span) => span.traceId === ours[0]?.traceId && !ours.includes(span));
      const places = theirs.map(({ name, attributes, parentSpanId }) => {
        const parent = nodes.get(parentSpanId);
        return `${name} of ${String(attributes['of'])} under ${parent && pathOf(parent)}`;
      });
      expect(places.toSorted()).toEqual([
        ...['labour', 'prices'].map((child) => `assess of ${child} under root/macro`),
        ...['macro/labour/jobs', 'macro/labour/wages', 'macro/prices', 'market'].map(
          (path) => `look up of root/${path} under root/${path}`,
        ),
      ]);
    }
  });

  it('begins with whoever starts a run under an id of their own; who comes back is told the same', async () => {
    const scenario = scenarioOf([domain('d', [leaf('l'), leaf('m')])]);
    const worker = await serve({ services: services(scenario) });
    await server.register(worker.uri);
    const host = restate({ ingress: server.ingress });
    const tell = async () => {
      const events: RunEvent[] = [];
      const record = recorder();
      const { brief } = await run(scenario, {
        host,
        runId: 'of-my-own',
        telemetry: record.telemetry,
        onEvent: (event) => void events.push(event),
      });
      return { brief, events, nodes: record.nodes().length };
    };
    const [first, again] = [await tell(), await tell()];
    expect(first.events.map(({ seq }) => seq)).toEqual(first.events.map((_, i) => i));
    expect(first.events.filter(({ type }) => type === 'run.started')).toHaveLength(1);
    expect(again).toEqual(first);
    expect(first.nodes).toBe(5); // and the run
    await worker.close();
  });
});
