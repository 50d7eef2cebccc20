import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pageFile, pageProblems, tagOf, treeOf, type PageTrace } from '../support/jaeger-page.ts';
import { said } from './said.ts';
import { storeAt, type StoreAt } from './stored-runs.ts';

/** The one trace in a file. */
function traceIn(text: string): PageTrace {
  const [trace, ...others] = pageFile(text);
  expect(others).toEqual([]);
  return trace as PageTrace;
}
async function traced(at: StoreAt, run: string): Promise<PageTrace> {
  const { code, stdout } = await said('trace', run, '--jaeger', '-', '--store', at.file);
  expect(code).toBe(0);
  return traceIn(stdout);
}
const spanOf = ({ spans }: PageTrace, path: string) =>
  spans.find(
    (span) => tagOf(span, 'gen_ai.operation.name') === 'invoke_agent' && tagOf(span, 'espalier.path') === path,
  );

describe('espalier trace', () => {
  it('writes a stored run as a file for the page, and says what to do with it', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' });
    const file = join(dirname(at.file), 'trace.json');
    const { code, stdout, stderr } = await said('trace', 'latest', '--jaeger', file, '--store', at.file);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const trace = traceIn(readFileSync(file, 'utf8'));
    expect(stderr).toBe(
      `${file}: ${trace.spans.length} spans of run abc; open it in Jaeger's page, Search > Upload, which needs no server for it\n`,
    );
    expect(pageProblems([trace])).toEqual([]);
    expect(Object.values(trace.processes).map(({ serviceName }) => serviceName)).toEqual([
      'espalier-root',
      'espalier-domain',
      'espalier-leaf',
    ]);
    const eightSeconds = { startTime: Date.UTC(2026, 10, 20, 10) * 1000, duration: 8e6 - 1 };
    expect(spanOf(trace, 'root/d1/l0')).toMatchObject(eightSeconds);
  });

  it('writes OTLP beside it: the same spans, with the same ids', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' });
    const file = join(dirname(at.file), 'otlp.json');
    const { code, stdout } = await said('trace', 'abc', '--jaeger', '-', '--otlp', file, '--store', at.file);
    expect(code).toBe(0);
    const { resourceSpans } = JSON.parse(readFileSync(file, 'utf8')) as OtlpFile;
    const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    const { spans: shown, traceID } = traceIn(stdout);
    expect(spans.map(({ spanId, name }) => `${spanId} ${name}`).sort()).toEqual(
      shown.map(({ spanID, operationName }) => `${spanID} ${operationName}`).sort(),
    );
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([traceID]));
    const root = spans.find(({ name }) => name === 'invoke_workflow tree');
    expect(root).toMatchObject({ kind: 1, startTimeUnixNano: `${Date.UTC(2026, 10, 20, 10)}000000`, links: [] });
    expect(root).not.toHaveProperty('parentSpanId');
    expect(spans.filter(({ parentSpanId }) => parentSpanId === undefined)).toHaveLength(1);
    expect(root?.attributes).toContainEqual({ key: 'espalier.depth.limit', value: { intValue: '2' } });
  });

  it('of an interrupted run shows what was left open as stopped, when it was last known to go on', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' }, 5_000);
    const trace = await traced(at, 'abc');
    expect(pageProblems([trace])).toEqual([]);
    expect(tagOf(spanOf(trace, 'root/d0/l0') as never, 'espalier.status')).toBe('complete');
    const open = spanOf(trace, 'root/d1/l0') as never;
    expect([tagOf(open, 'espalier.status'), tagOf(open, 'error')]).toEqual(['stopped', true]);
  });

  it('says of a run that goes on what its open spans mean', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' }, 5_000);
    const claim = at.store.claim('abc'); // as whoever works on it has
    const { code, stdout, stderr } = await said('trace', 'abc', '--jaeger', '-', '--store', at.file);
    claim.release();
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'The run goes on: what has not ended yet is shown as if it had been stopped now.\n',
    });
    expect(pageProblems([traceIn(stdout)])).toEqual([]);
  });

  it('of a resumed run shows its parts in one trace: who had ended, in the part in which it did', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' }, 5_000);
    await at.keep({ runId: 'abc', resume: 'abc', deadline: '10m', at: Date.UTC(2026, 10, 20, 11) });
    const trace = await traced(at, 'abc');
    expect(pageProblems([trace])).toEqual([]);
    const { roots } = treeOf(trace.spans);
    expect(roots.map((root) => tagOf(root, 'espalier.status'))).toEqual(['stopped', 'complete']);
    const done = trace.spans.filter(
      (span) => tagOf(span, 'espalier.path') === 'root/d0/l0' && span.operationName === 'invoke_agent l0',
    );
    expect(done).toHaveLength(1);
  });

  it('shows a run that failed', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc', faults: ['root:plan=throw'] });
    const trace = await traced(at, 'abc');
    expect(pageProblems([trace])).toEqual([]);
    expect(treeOf(trace.spans).roots.map((root) => tagOf(root, 'espalier.status'))).toEqual(['failed']);
  });

  it('answers what it cannot do with one line', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' });
    const folder = join(dirname(at.file), 'folder');
    mkdirSync(folder);
    const lines: [args: string[], line: string][] = [
      [['abc'], 'Nothing says where the trace goes. Give --jaeger FILE, --otlp FILE, or both; "-" is stdout.'],
      [['abc', '--jaeger', ''], 'The file of --jaeger is empty. Name the file to write to, or "-" for stdout.'],
      [['abc', '--jaeger', 'x', '--otlp', 'x'], '--jaeger and --otlp both name x. Give each a file of its own.'],
      [['abc', '--otlp', folder], `${folder} cannot be written: illegal operation on a directory. Name another file`],
      [['zzz', '--jaeger', 'x.json'], 'There is no run "zzz" in'],
    ];
    for (const [args, line] of lines) {
      const { code, stdout, stderr } = await said('trace', ...args, '--store', at.file);
      expect(stderr).toMatch(/^espalier: .*\n$/);
      expect(stderr).toContain(line);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
    expect(existsSync('x.json')).toBe(false);
  });

  it('does not make up what a damaged record does not hold', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' });
    const database = new DatabaseSync(at.file);
    database.exec("UPDATE events SET body = substr(body, 1, 40) WHERE type = 'node.planned'");
    database.close();
    const { code, stderr, stdout } = await said('trace', 'abc', '--jaeger', '-', '--store', at.file);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('An event of the run is damaged in its store. "espalier verify" says which.');
  });
});

type OtlpFile = {
  resourceSpans: {
    scopeSpans: {
      spans: { traceId: string; spanId: string; parentSpanId?: string; name: string; attributes: unknown[] }[];
    }[];
  }[];
};
