import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { renderBrief, run, type Report, type RunEvent, type RunOutcome } from 'espalier';
import { describe, expect, test } from 'vitest';
import csvFolderScenario from '../../scenarios/csv-folder.ts';
import { csvFolder } from '../../src/adapters/sources/csv-folder.ts';
import { escapeMarkdown } from '../../src/render/escape-markdown.ts';
import { renderTerminalBrief } from '../../src/render/terminal-brief.ts';
import { entry, manifestOf, monthly, writtenFolder } from '../adapters/csv-folder/written-folder.ts';

const growing = Array.from({ length: 120 }, (_, i) => 100 + i + ((i * 7) % 5));
const crashing = growing.map((value, i) => (i < 114 ? value : value / 3));
const asOf = '2010-02-01';

const FILES = { 'jobs.csv': monthly(growing), 'deep/price.csv': monthly(crashing) };
const SERIES = [
  entry({ polarity: 1 }),
  entry({ id: 'S&P 500', domain: 'shares', title: 'Index', file: 'deep/price.csv', analyst: 'price', polarity: 1 }),
  entry({ id: 'rate', domain: 'macro', title: 'Rate', analyst: 'labour', polarity: -1 }),
  entry({ id: 'T10Y3M', domain: 'macro', title: 'Slope', analyst: 'spread', polarity: 1 }),
  entry({ id: 'credit', domain: 'macro', title: 'Credit spread', unit: 'pp', analyst: 'spread', polarity: -1 }),
  entry({ id: 'own', domain: 'macro', title: 'Own slope', analyst: 'yield-curve' }),
];
const folderOf = (...series: readonly unknown[]): string =>
  writtenFolder({ 'manifest.json': manifestOf(...series), ...FILES });
const briefOf = async (flags: Parameters<typeof csvFolderScenario>[0], options: object = {}): Promise<Report> =>
  (await run(await csvFolderScenario(flags), { asOf, ...options })).brief;
const said = ({ findings }: Report) => findings.map(({ id, stance, flags }) => ({ id, stance, flags }));

describe('a folder becomes a tree', () => {
  test('with a leaf per series and a domain per domain, each asked its own question', async () => {
    const brief = await briefOf({ data: folderOf(...SERIES) });
    expect(brief.status).toBe('complete');
    expect(brief.question).toBe('Hold shares');
    expect(brief.children.map(({ path }) => path)).toEqual(['root/macro', 'root/shares']);
    expect(brief.findings.map(({ id }) => id).toSorted()).toEqual([
      'root/macro/T10Y3M#yield-curve',
      'root/macro/credit#level',
      'root/macro/jobs#growth',
      'root/macro/own#yield-curve',
      'root/macro/rate#unemployment',
      // a domain of one series is one leaf
      'root/shares#S-P 500.drawdown',
      'root/shares#S-P 500.trend',
    ]);
    const level = brief.findings.find(({ measure }) => measure === 'level');
    expect(level).toMatchObject({ stance: expect.closeTo(-1, 1), value: growing.at(-1), unit: 'pp' });
    expect(level?.statement).toMatch(/^Credit spread \(2009-12-01\): \d+ pp, above 100 % of its own history$/);
    expect(brief.escalations.map(({ id }) => id)).toContain('root/shares#S-P 500.drawdown');
    expect(brief.assessment?.conviction).toBeTypeOf('number');
  });

  test('with few series in one leaf, and with many in sub-domains, to the same findings', async () => {
    const ids = Array.from({ length: 9 }, (_, i) => `s${i}`);
    const many = ids.map((id) => entry({ id, title: `Series ${id}`, file: `${id}.csv`, polarity: 1 }));
    const files = ids.map((id, i) => [`${id}.csv`, monthly(growing.map((value, at) => value + i * at))] as const);
    const manifest = { 'manifest.json': manifestOf(...many, ...SERIES) };
    const data = writtenFolder({ ...manifest, ...FILES, ...Object.fromEntries(files) });
    const shapeOf = async (flags: object) => {
      const brief = await briefOf({ data, ...flags });
      const paths = brief.findings.map(({ path }) => path);
      const statements = brief.findings.map(({ statement }) => statement).toSorted();
      return { statements, depth: brief.run?.observedDepth, divided: new Set(paths).size, status: brief.status };
    };
    const flat = await shapeOf({ fewest: 0, most: 99 });
    const deep = await shapeOf({ fewest: 0, most: 4 });
    const thin = await shapeOf({ fewest: 99 });
    expect([flat, deep, thin].map(({ depth }) => depth)).toEqual([2, 3, 1]);
    expect(deep.statements).toEqual(flat.statements);
    expect(thin.statements).toEqual(flat.statements);
    expect(thin.divided).toBe(2);
    expect([flat, deep, thin].map(({ status }) => status)).toEqual(['complete', 'complete', 'complete']);
  });

  test('with names of nodes that never meet, whatever the ids are', async () => {
    const ids = ['a&b', 'a+b', 'a b', '__proto__', 'constructor', '-', '№ 1', 'спред', '🌍', '.', '#~'];
    const series = ids.map((id) => entry({ id, domain: `${id}&`, polarity: 1 }));
    const brief = await briefOf({ data: folderOf(...series) });
    expect(brief.status).toBe('complete');
    expect(brief.children).toHaveLength(ids.length);
    expect(brief.usage.subtree.leaves).toBe(ids.length);
  });

  test('and to the same findings with a tier or two less', async () => {
    const data = folderOf(...SERIES);
    const whole = await briefOf({ data });
    for (const maxDepth of [1, 0]) {
      const brief = await briefOf({ data }, { maxDepth });
      expect(brief.status).toBe('complete');
      expect(brief.findings).toHaveLength(whole.findings.length);
      const stances = (report: Report) =>
        report.findings.map(({ statement, stance }) => `${statement} ${stance}`).toSorted();
      expect(stances(brief)).toEqual(stances(whole));
    }
  });
});

describe('a series that cannot be read is a gap and silences no other', () => {
  const bad = entry({ id: 'bad', file: 'bad.csv', polarity: 1 });
  const late = entry({ id: 'late', file: 'late.csv', frequency: 'monthly', polarity: 1 });
  const more = { 'bad.csv': 'date,value\n2008-01-01,x\n', 'late.csv': 'date,value\n2020-01-01,1\n' };

  test.each([
    [2, 'token', 'root/macro/bad', 'root/macro/late'],
    [1, 'undone', 'root/macro/bad', 'root/macro/late'],
    [0, 'undone', 'root/macro', 'root/macro'],
  ])('at depth %i', async (maxDepth, kind, broken, unknown) => {
    const data = writtenFolder({ 'manifest.json': manifestOf(bad, late, ...SERIES), ...FILES, ...more });
    const brief = await briefOf({ data }, { maxDepth });
    expect(brief.status).toBe('partial');
    expect(brief.gaps).toContainEqual(
      expect.objectContaining({ path: broken, kind, why: expect.stringContaining('bad.csv, line 2: "value"') }),
    );
    expect(brief.gaps).toContainEqual({ path: unknown, kind: 'insufficient', why: expect.stringContaining('"late"') });
    expect(brief.findings).toHaveLength(7);
  });
});

describe('polarities vote for the thesis of the manifest alone', () => {
  test.each([undefined, 'Hold shares', '  hold\u00A0SHARES. '])('which %j is', async (thesis) => {
    const brief = await briefOf({ data: folderOf(...SERIES), ...(thesis !== undefined && { thesis }) });
    expect(brief.assessment?.conviction).toBeTypeOf('number');
    expect(brief.children).toHaveLength(2);
  });

  test.each([
    [2, undefined],
    [1, undefined],
    [2, ['shares']],
  ])(
    'for another one no conviction is formed, and the brief says why (depth %i, domains %j)',
    async (maxDepth, domains) => {
      const flags = { data: folderOf(...SERIES), thesis: 'Sell shares' };
      const brief = await briefOf(flags, { maxDepth, ...(domains && { domains }) });
      expect(brief.status).toBe('complete');
      expect(brief.assessment).not.toHaveProperty('conviction');
      expect(brief.assessment).not.toHaveProperty('verdict');
      expect(said(brief).every(({ stance, flags }) => stance === 0 && flags.includes('context'))).toBe(true);
      const reason = 'the polarities of the manifest serve the thesis "Hold shares", not this one';
      expect(renderBrief(brief)).toContain(reason);
      if (domains) return;
      expect(brief.narrative).toContain(`No conviction was formed: ${reason}`);
      expect(renderTerminalBrief(brief).replaceAll(/\s+/g, ' ')).toContain(`No conviction was formed: ${reason}`);
      expect(brief.gaps[0]).toMatchObject({ path: 'root/polarities', why: expect.stringContaining(reason) });
    },
  );

  test('with all depth spent the root says so itself', async () => {
    const brief = await briefOf({ data: folderOf(...SERIES), thesis: 'Sell shares' }, { maxDepth: 0 });
    expect(renderBrief(brief)).toContain('No conviction was formed: the polarities');
  });

  test('a manifest without a thesis serves none, one without polarities has nothing to vote', async () => {
    const data = writtenFolder({ 'manifest.json': JSON.stringify({ series: SERIES }), ...FILES });
    const unnamed = await briefOf({ data, thesis: 'Hold shares' });
    expect(unnamed.assessment).not.toHaveProperty('conviction');
    expect(unnamed.narrative).toContain('does not say which thesis its polarities serve');
    await expect(csvFolderScenario({ data })).rejects.toThrow(/names no thesis\. Give one with --thesis/);

    const without = await briefOf({ data: folderOf(entry()) });
    expect(without.narrative).toContain('No conviction was formed: no series of the manifest has a polarity');
  });
});

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('the folder that the guide shows can be run', async () => {
  const guide = readFileSync(join(ROOT, 'docs/guides/own-data.md'), 'utf8');
  const blockAfter = (mark: string) => guide.split(`<!-- ${mark} -->`)[1]?.split(/```\w*\n?/)[1] ?? '';
  const data = writtenFolder({
    'manifest.json': blockAfter('manifest'),
    'macro/unrate.csv': blockAfter('series'),
    'sales.csv': monthly(growing),
  });
  const { brief } = await run(await csvFolderScenario({ data }));
  expect(brief.status).toBe('complete');
  expect(brief.findings.map(({ id }) => id)).toEqual(['root/company#SALES.growth']);
  expect(brief.gaps).toEqual([
    { path: 'root/macro/UNRATE', kind: 'insufficient', why: 'Unemployment rate: 3 observations, needs 15' },
  ]);
});

/** The command line as a person has it; never rejects. */
async function espalier(...args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const out = join(writtenFolder({}), 'out');
  const command = [
    '--conditions=espalier-source',
    'src/cli/main.ts',
    'run',
    'scenarios/csv-folder.ts',
    '--no-store', // a person's own runs are not to be found among those of tests
    '--out',
    out,
    ...args,
  ];
  return promisify(execFile)(process.execPath, command, { cwd: ROOT }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: unknown; stdout: string; stderr: string }) => error,
  );
}
// eslint-disable-next-line no-control-regex -- what must not reach a terminal or a page
const STEERING = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B\u202E]/u;

describe('on the command line', () => {
  test.each([
    ['../jobs.csv', 'jobs'],
    ['/etc/hosts', 'jobs'],
    ['jobs.csv', 'a/b'],
    ['jobs.csv', '..'],
    ['jobs.csv', 'a\u001B[31m'],
    ['none.csv', 'jobs'],
  ])('file %j and id %j end with 2 and one line', async (file, id) => {
    const { code, stdout, stderr } = await espalier('--data', folderOf(entry({ file, id })));
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^espalier: .*manifest\.json: series .*\n$/);
    expect(stderr).toContain(JSON.stringify(id));
    expect(stderr).not.toMatch(STEERING);
  });

  test('without a folder it says what is missing', async () => {
    expect(await espalier()).toMatchObject({ code: 2, stderr: expect.stringContaining('Give --data DIR') });
  });

  test('texts that would steer a terminal or mark up a page arrive as what they are', async () => {
    const evil =
      '\u001B]0;owned\u0007\u001B[2J<script>x</script> [x](javascript:x) ![i](http://e.vil/p) `c` | **b** \u202E\u200B\n## Fake\n';
    const over = { domain: 'a|<b>`[c](d)', file: 'deep/price.csv', analyst: 'price', polarity: 1 };
    const hostile = entry({ ...over, id: 'x<b>`|[y](z)', title: evil, unit: evil });
    const data = writtenFolder({
      'manifest.json': JSON.stringify({ thesis: `T ${evil}`, series: [hostile] }),
      ...FILES,
    });
    const { code, stdout, stderr } = await espalier('--data', data, '--as-of', asOf);
    expect(code).toBe(0);
    for (const screen of [stdout, stderr]) {
      expect(screen).not.toMatch(STEERING);
      expect(screen).toContain('⟨U+001B⟩]0;owned');
    }
    const brief = renderBrief(await briefOf({ data }));
    expect(brief).not.toMatch(STEERING);
    // Neither HTML, nor a link or an image, nor a heading of its own.
    expect(brief).not.toMatch(/(?<!\\)<(?:script|b)>|(?<!\\)\[x(?<!\\)\]\(|^## Fake/m);
    expect(brief.split('\n').filter((line) => line.startsWith('# '))).toHaveLength(1);
  });
});

const SHARED = fileURLToPath(new URL('../../../shared/data/series', import.meta.url));
const isThere = existsSync(join(SHARED, 'manifest.json'));
if (!isThere)
  console.warn('SKIPPED: the runs on 145 real series, for ../shared/data/series is not beside this repository');

describe.skipIf(!isThere)('145 real series', () => {
  type Watched = RunOutcome & { events: readonly RunEvent[]; most: { loading: number; working: number } };

  /** A run whose sources take their time, with the most that was under way at once. */
  async function watched(options: { asOf: string; concurrency?: number; latencyMs?: number }): Promise<Watched> {
    const scenario = await csvFolderScenario({ data: SHARED });
    const events: RunEvent[] = [];
    const most = { loading: 0, working: 0 };
    const working = new Set<string>();
    let loading = 0;
    const sources: typeof scenario.sources = {
      async load(id, io) {
        most.loading = Math.max(most.loading, ++loading);
        try {
          await new Promise((resolve) => void setTimeout(resolve, options.latencyMs ?? 0));
          return await (scenario.sources?.load(id, io) ?? Promise.reject(new Error('the scenario has sources')));
        } finally {
          loading--;
        }
      },
    };
    const onEvent = (event: RunEvent): void => {
      events.push(event);
      if (event.type === 'attempt.started') working.add(event.path);
      if (event.type === 'node.reported' || event.type === 'node.failed') working.delete(event.path);
      most.working = Math.max(most.working, working.size);
    };
    return { ...(await run({ ...scenario, sources }, { ...options, onEvent })), events, most };
  }

  const leavesOf = (events: readonly RunEvent[]): Report[] =>
    events.flatMap((event) => (event.type === 'node.reported' && event.tier === 'leaf' ? [event.report] : []));

  function expectVerbatim({ brief, escalations, events }: Watched): void {
    const reported = events.flatMap((event) => (event.type === 'finding.reported' ? [event.finding] : []));
    const criticals = reported.filter(({ critical }) => critical);
    expect(escalations.map(({ id }) => id).toSorted()).toEqual(criticals.map(({ id }) => id).toSorted());
    for (const finding of escalations) {
      expect(JSON.stringify(finding)).toBe(JSON.stringify(criticals.find(({ id }) => id === finding.id)));
    }
    expect([brief, ...brief.children].map(({ retention }) => retention?.verbatim)).toEqual([1, 1, 1, 1]);
  }

  test.each([10, 4])('as of May 2020, at most %i at once', async (concurrency) => {
    const outcome = await watched({ asOf: '2020-05-01', concurrency, latencyMs: 3 });
    const { brief, escalations, events, most } = outcome;
    expect(outcome.status).toBe('complete');
    const leaves = leavesOf(events);
    expect(leaves).toHaveLength(145);
    expect(brief.run).toMatchObject({ observedDepth: 3, demotions: [] });
    expect(leaves.filter(({ findings }) => findings.length > 0).length).toBeGreaterThanOrEqual(120);
    expect(most).toEqual({ loading: concurrency, working: concurrency });
    expect(escalations.length).toBeGreaterThanOrEqual(15);
    expectVerbatim(outcome);
    expect(brief.assessment?.verdict).toBe('contradicted');
    expect(brief.assessment?.conviction).toBeLessThan(0);
  });

  test('as of April 2009 every one of the dozens of criticals is in the ledger, and the brief can still be read', async () => {
    const outcome = await watched({ asOf: '2009-04-01' });
    const { brief, escalations } = outcome;
    expect(escalations.length).toBeGreaterThanOrEqual(70);
    expectVerbatim(outcome);
    const [argued = '', ledger = ''] = renderBrief(brief).split('## Critical findings, word for word');
    for (const [index, { id, statement }] of escalations.entries()) {
      expect(ledger).toContain(`**C${index + 1}** \`${id}\``);
      expect(ledger).toContain(`> ${escapeMarkdown(statement)}\n`);
    }
    const risks = brief.assessment?.risks ?? [];
    expect(risks.length).toBeLessThanOrEqual(6);
    expect(new Set(risks.flatMap(({ findings }) => findings)).size).toBe(
      escalations.filter(({ stance }) => stance < 0).length,
    );
    expect(argued.slice(0, argued.indexOf('## Findings')).split('\n').length).toBeLessThan(90);
    expect(renderTerminalBrief(brief).split('\n').length).toBeLessThan(50);
  });

  test('for another thesis they are context: no conviction, and why', async () => {
    const brief = await briefOf({ data: SHARED, thesis: 'Hold long Treasuries' }, { asOf: '2020-05-01' });
    expect(brief.assessment).not.toHaveProperty('conviction');
    expect(brief.escalations.length).toBeGreaterThanOrEqual(15);
    expect(renderBrief(brief)).toContain(
      'No conviction was formed: the polarities of the manifest serve the thesis "Hold US equities"',
    );
  });

  test('without the rows that were not yet known the same is said; the checksums of the files differ', async () => {
    const asOf = '2009-04-01';
    const { manifest, adapter } = await csvFolder(SHARED);
    const files: Record<string, string> = { 'manifest.json': readFileSync(join(SHARED, 'manifest.json'), 'utf8') };
    const io = { abortSignal: new AbortController().signal };
    let removed = 0;
    for (const { id, file } of manifest.series) {
      const { observations } = await adapter.load(id, io);
      const known = new Set(observations.filter(({ availableAt }) => availableAt <= asOf).map(({ date }) => date));
      const [header = '', ...rows] = readFileSync(join(SHARED, file), 'utf8').trim().split(/\r?\n/);
      const kept = rows.filter((row) => known.has(row.split(',')[0] ?? ''));
      removed += rows.length - kept.length;
      files[file] = [header, ...kept, ''].join('\n');
    }
    expect(removed).toBeGreaterThan(10_000);

    const [whole, cut] = [
      await briefOf({ data: SHARED }, { asOf }),
      await briefOf({ data: writtenFolder(files) }, { asOf }),
    ];
    const checksums = (brief: Report) => brief.findings.map(({ source }) => source.sha256);
    const unsigned = (brief: Report) =>
      brief.findings.map(({ source: { sha256: _, ...source }, ...finding }) => ({ ...finding, source }));
    expect(unsigned(cut)).toEqual(unsigned(whole));
    expect(cut.assessment).toEqual(whole.assessment);
    expect(checksums(cut)).not.toEqual(checksums(whole));
  });
});
