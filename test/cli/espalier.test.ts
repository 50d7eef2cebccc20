/** The command end to end, each test in a process of its own. */
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Report, RunEvent } from '../../src/protocol/index.ts';
import { runEspalier, startEspalier, TINY, workspace } from './command.ts';

const oneLine = /^espalier: [^\n]+\n$/;
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');

describe.concurrent('espalier run', () => {
  it('shows the brief and leaves it on disk, with every event', async () => {
    using at = workspace();
    const { code, stdout, stderr } = await runEspalier(['run', TINY], at.path);
    expect(code).toBe(0);
    expect(stdout).toContain('thesis not established, conviction −4');
    expect(stderr).toContain('CRITICAL root/macro/jobs: Unemployment stands 0.6 points above its low\n');
    expect(`${stdout}${stderr}`).not.toContain('\u001b');
    const runId = readdirSync(join(at.path, 'runs')).find((name) => !name.startsWith('espalier.db')) ?? '';
    const directory = join(at.path, 'runs', runId);
    expect(stdout).toContain(join('runs', runId, 'brief.md'));
    expect(readdirSync(directory).sort()).toEqual(['brief.json', 'brief.md', 'events.ndjson', 'receipt.json']);
    const events = linesOf(join(directory, 'events.ndjson')).map((line) => RunEvent.parse(JSON.parse(line)));
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index));
    expect(events.at(-1)?.type).toBe('run.completed');
    expect(Report.parse(JSON.parse(readFileSync(join(directory, 'brief.json'), 'utf8'))).runId).toBe(runId);
    expect(readFileSync(join(directory, 'brief.md'), 'utf8')).toContain(
      '> Unemployment stands 0.6 points above its low\n',
    );
  });

  it('prints the report alone on stdout with --json, whatever the scenario logs', async () => {
    using at = workspace({
      'noisy.ts': `console.log('loading'); export { default } from ${JSON.stringify(TINY)};`,
    });
    const { code, stdout, stderr } = await runEspalier(['run', 'noisy.ts', '--json', '--out', 'o'], at.path);
    expect(code).toBe(0);
    expect(Report.parse(JSON.parse(stdout)).children).toHaveLength(2);
    expect(stdout).toBe(readFileSync(join(at.path, 'o', 'brief.json'), 'utf8'));
    for (const said of ['loading', 'conviction', 'Brief   o/brief.md']) expect(stderr).toContain(said);
  });

  it('shows how conviction moves with --incremental, and says the same in the end', async () => {
    using at = workspace();
    const slow = ['--fault', 'root/company/ibm=slow:700'];
    const plain = await runEspalier(['run', TINY, '--json', '--out', 'p'], at.path);
    const { code, stdout, stderr } = await runEspalier(
      ['run', TINY, '--incremental', '--json', '--out', 'o', ...slow],
      at.path,
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/ s {2}conviction [−+]?\d+ of \d of \d leaves\n/);
    expect((JSON.parse(stdout) as Report).digest).toBe((JSON.parse(plain.stdout) as Report).digest);
    const types = linesOf(join(at.path, 'o', 'events.ndjson')).map((line) => RunEvent.parse(JSON.parse(line)).type);
    expect(types).toContain('synthesis.interim');
    const { code: verified } = await runEspalier(['verify', 'latest'], at.path);
    expect(verified).toBe(0);
  });

  it('degrades as rehearsed: a gap, a partial brief, exit code 3', async () => {
    using at = workspace();
    const faults = ['--fault', 'root/macro/jobs=throw', '--fault', 'root/company=hang', '--deadline', '1500ms'];
    const { code, stdout } = await runEspalier(['run', TINY, '--json', '--out', 'o', ...faults], at.path);
    const report = Report.parse(JSON.parse(stdout));
    expect(code).toBe(3);
    expect(report.children.map((child) => child.status)).toEqual(['partial', 'timeout']);
    expect(report.gaps.map((gap) => gap.path)).toEqual(expect.arrayContaining(['root/macro/jobs', 'root/company']));
  });

  it('fails with exit code 1 when no finding survived, and still reports', async () => {
    using at = workspace();
    const { code, stdout } = await runEspalier(['run', TINY, '--out', 'o', '--fault', 'root:plan=throw'], at.path);
    expect(code).toBe(1);
    expect(stdout).toContain('This run failed: no finding survived.');
    expect(existsSync(join(at.path, 'o', 'brief.md'))).toBe(true);
  });

  it('passes its options on to a scenario that is a function', async () => {
    using at = workspace({
      'factory.ts': `import tiny from ${JSON.stringify(TINY)}; export default ({ asOf }) => ({ ...tiny, name: 'of ' + asOf });`,
    });
    const { code, stdout } = await runEspalier(['plan', 'factory.ts', '--as-of', '2009-03-01', '--json'], at.path);
    expect({ code, plan: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 0,
      plan: { scenario: 'of 2009-03-01', asOf: '2009-03-01', root: { path: 'root' } },
    });
  });

  it("survives a leaf's stray errors", async () => {
    using at = workspace({
      'stray.ts': `import tiny from ${JSON.stringify(TINY)};
        setTimeout(() => { throw new Error('from a timer'); }, 300);
        void Promise.reject(new Error('unhandled'));
        export default tiny;`,
    });
    const { code, stderr } = await runEspalier(
      ['run', 'stray.ts', '--out', 'o', '--fault', 'root/macro/jobs=slow:1200'],
      at.path,
    );
    expect(stderr).toContain('Stray error, the run goes on: from a timer\n');
    expect(code).toBe(0);
  });
});

describe.concurrent('espalier run, interrupted', () => {
  it('delivers the partial brief on the first ^C, exit code 3', async () => {
    using at = workspace();
    const run = startEspalier(['run', TINY, '--out', 'o', '--fault', 'root/macro/jobs=hang'], at.path);
    await run.stderrSays('root/company complete');
    run.child.kill('SIGINT');
    const { code, stdout, stderr } = await run.ended;
    expect(code).toBe(3);
    expect(stderr).toContain('Interrupted: closing with what was found.');
    expect(stdout).toContain('This brief is partial.');
    expect(readFileSync(join(at.path, 'o', 'brief.md'), 'utf8')).toContain('IBM rises');
    expect(linesOf(join(at.path, 'o', 'events.ndjson')).at(-1)).toContain('"run.completed"');
  });

  it('ends at once on the second, exit code 130', async () => {
    // The second press comes within the first: a partial brief is too quick to press twice before it.
    using at = workspace({
      'twice.ts': `export { default } from ${JSON.stringify(TINY)};
        setTimeout(() => process.once('SIGINT', () => process.emit('SIGINT')), 600).unref();`,
    });
    const run = startEspalier(['run', 'twice.ts', '--out', 'o', '--fault', 'root/macro/jobs=hang'], at.path);
    await run.stderrSays('root/company complete');
    await new Promise((done) => setTimeout(done, 800));
    run.child.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(existsSync(join(at.path, 'o', 'brief.md'))).toBe(false);
    expect(linesOf(join(at.path, 'o', 'events.ndjson')).join()).toContain('IBM rises');
  });
});

describe.concurrent('what espalier cannot write', () => {
  it.runIf(existsSync('/dev/full'))('costs a file and never the brief: exit code 1', async () => {
    using at = workspace();
    mkdirSync(join(at.path, 'full'));
    for (const name of ['events.ndjson', 'brief.md']) symlinkSync('/dev/full', join(at.path, 'full', name));
    const { code, stdout, stderr } = await runEspalier(['run', TINY, '--out', 'full'], at.path);
    expect(code).toBe(1);
    expect(stdout).toContain('# Hold US large-cap technology\n'); // whole: it is on no disk
    expect(stdout).toContain('Report  full/brief.json');
    expect(stderr).toContain(
      `espalier: ${join('full', 'events.ndjson')} could not be written: no space left on device.`,
    );
    expect(stderr).toContain(`espalier: ${join('full', 'brief.md')} could not be written`);
  });

  it('is said before anything runs when the directory cannot be used', async () => {
    using at = workspace({ taken: '' });
    const { code, stdout, stderr } = await runEspalier(['run', TINY, '--out', 'taken'], at.path);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain('The directory taken cannot be written to: there is a file of that name.');
  });

  it('does not matter when the reader has gone', async () => {
    using at = workspace();
    const run = startEspalier(['run', TINY, '--json', '--out', 'o'], at.path);
    run.child.stdout?.destroy();
    const { code, stderr } = await run.ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain('EPIPE');
  });
});

describe.concurrent('a scenario file', () => {
  const FILES: [name: string, text: string, line: string][] = [
    ['none.js', 'export const x = 1;', 'none.js is no scenario: it has no default export.'],
    ['domain.ts', 'export default { kind: "domain" };', 'its default export is a domain, not a scenario.'],
    ['syntax.ts', '\nconst x = ;', 'cannot be read: '],
    [
      'throws.mjs',
      '\n\nthrow new Error("boom\\nmore");',
      'failed while it was loaded: boom (throws.mjs:3). Correct it.',
    ],
    ['imports.js', 'import "nowhere-at-all";', "is missing: Cannot find package 'nowhere-at-all'"],
    ['never.mjs', 'await new Promise(() => {});', 'waits for something that never comes.'],
  ];
  it.each(FILES)('%s gets one line and exit code 2', async (name, text, line) => {
    using at = workspace();
    writeFileSync(join(at.path, name), text);
    const { code, stdout, stderr } = await runEspalier(['run', name], at.path);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(existsSync(join(at.path, 'runs'))).toBe(false);
  });

  const MISSES: [args: string[], line: string][] = [
    [['--domains', 'marco'], 'There is no domain "marco" in scenario "tiny". Choose from "macro", "company".'],
    [
      ['--fault', 'jobs=hang'],
      'There is no node "jobs" in this run to rehearse a --fault at. Did you mean "root/macro/jobs"',
    ],
    [['--fault', 'root/macro/jobs:plan=hang'], '"root/macro/jobs" is a leaf and has no plan.'],
    [['--data', '.'], 'is no function of the options, and --data is only for those. Leave it out.'],
  ];
  it.each(MISSES)('does not have %j', async (args, line) => {
    using at = workspace();
    const { code, stderr } = await runEspalier(['run', TINY, ...args], at.path);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(line);
    expect(code).toBe(2);
    expect(existsSync(join(at.path, 'runs'))).toBe(false);
  });
});
