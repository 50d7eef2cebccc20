import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nameOf, plan, run, type Activities, type RunEvent, type RunOutcome, type Scenario } from 'espalier';
import { describe, expect, test } from 'vitest';
import linksOf from '../../scenarios/shapes/orchestrator-workers.ts';
import pipeline from '../../scenarios/shapes/pipeline.ts';
import staged from '../../scenarios/shapes/staged-pipeline-with-feedback.ts';
import { workspace } from '../cli/command.ts';

type Script = (own: Activities) => Partial<Activities>;
type Watched = RunOutcome & {
  events: readonly RunEvent[];
  /** What each node read of others, by its name. */
  read: ReadonlyMap<string, readonly string[]>;
  told: readonly string[];
};

async function watched(scenario: Scenario, script: Script = () => ({})): Promise<Watched> {
  const events: RunEvent[] = [];
  const read = new Map<string, readonly string[]>();
  const told: string[] = [];
  const activities = (own: Activities): Activities => {
    const steps = { ...own, ...script(own) };
    return {
      ...steps,
      attempt({ task, attempt }, io) {
        const needed = task.prior.map(({ path }) => nameOf(path));
        read.set(nameOf(task.path), needed.sort());
        told.push(...task.enrichments.map((text) => `${nameOf(task.path)}: ${text}`));
        return steps.attempt({ task, attempt }, io);
      },
    };
  };
  return { ...(await run(scenario, { activities, onEvent: (event) => events.push(event) })), events, read, told };
}

const failing =
  (name: string): Script =>
  (own) => ({
    attempt: (input, io) =>
      nameOf(input.task.path) === name ? Promise.reject(new Error('broken')) : own.attempt(input, io),
  });
const stagesOf = (scenario: Scenario): string[][] =>
  plan(scenario).root.decision?.stages.map((stage) => stage.map(({ name }) => name)) ?? [];
const declaredNeeds = (scenario: Scenario): Map<string, string[]> =>
  new Map(scenario.domains.map(({ name, needs = [] }) => [name, needs.toSorted()]));
const said = ({ brief }: RunOutcome, name: string) => brief.findings.find(({ path }) => nameOf(path) === name);
const attemptsIn = ({ events }: Watched): number => events.filter(({ type }) => type === 'attempt.started').length;

/** A child starts when all that it needs have ended, and not before. */
function expectOrder(events: readonly RunEvent[], needs: ReadonlyMap<string, readonly string[]>): void {
  const at = (type: RunEvent['type'], name: string): number =>
    events.findIndex((event) => event.type === type && nameOf(event.path) === name);
  for (const [name, needed] of needs) {
    for (const one of needed) expect(at('node.reported', one)).toBeLessThan(at('node.started', name));
  }
}

describe('orchestrator and workers', () => {
  /** A folder of documents, gone when the test ends. */
  function documents(files: Readonly<Record<string, string>>): { path: string; [Symbol.dispose](): void } {
    const path = mkdtempSync(join(tmpdir(), 'espalier-docs-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), text);
    }
    return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
  }

  test('two tiers: one worker for each document, all in one stage', async () => {
    using folder = documents({ 'README.md': 'Hello', 'docs/a.md': '[up](../README.md)', 'node_modules/x/b.md': '' });
    const scenario = await linksOf({ data: folder.path });
    expect(stagesOf(scenario)).toEqual([['README.md', 'docs a.md']]);
    const { brief } = await run(scenario);
    expect(brief.run?.observedDepth).toBe(1);
    expect(brief.assessment?.votes).toMatchObject({ supports: 1, against: 0, context: 1 });
  });

  test('a link that leads nowhere is critical; a URL, an anchor and an example in code are none', async () => {
    using folder = documents({
      'good.md': '[a](bad.md#part) [b](https://example.org/x.md) [c](#here) [d](mailto:a@example.org) [e](deep/)',
      'bad.md': '[a](good.md) [b](gone.md) [c](deep/gone%20too.md)\n`[d](code.md)`\n```md\n[e](fenced.md)\n```\n',
      'deep/other.md': '[up](../good.md)',
    });
    const { status, brief, escalations } = await run(await linksOf({ data: folder.path }));
    expect(status).toBe('complete');
    expect(escalations.map(({ statement }) => statement)).toEqual([
      'bad.md: 2 of 3 links lead nowhere: gone.md, deep/gone%20too.md',
    ]);
    expect(brief.findings).toHaveLength(3);
  });

  test('a worker that fails is a gap, and the others report', async () => {
    using folder = documents({ 'a.md': '[b](b.md)', 'b.md': '[a](a.md)' });
    const { status, brief, gaps } = await watched(await linksOf({ data: folder.path }), failing('a.md'));
    expect(status).toBe('partial');
    expect(gaps).toEqual([expect.objectContaining({ path: 'root/a.md', kind: 'token' })]);
    expect(brief.findings.map(({ path }) => path)).toEqual(['root/b.md']);
  });

  test('a folder without a document is misuse', async () => {
    using folder = documents({});
    await expect(linksOf({ data: folder.path })).rejects.toMatchObject({ code: 'invalid-input' });
  });

  test('no link in the documents of this repository leads nowhere', async () => {
    const { escalations } = await run(await linksOf());
    expect(escalations.map(({ statement }) => statement)).toEqual([]);
  });
});

describe('a pipeline', () => {
  test('steps run one after another, and each reads the report before it', async () => {
    const names = ['prices', 'changes', 'storms', 'verdict'];
    expect(stagesOf(pipeline)).toEqual(names.map((name) => [name]));
    const outcome = await watched(pipeline);
    expect([...outcome.read]).toEqual([
      ['prices', []],
      ['changes', ['prices']],
      ['storms', ['changes']],
      ['verdict', ['storms']],
    ]);
    expectOrder(outcome.events, declaredNeeds(pipeline));
    expect(said(outcome, 'verdict')).toMatchObject({ value: 9, stance: 0.8 });
    expect(outcome.brief.assessment).toMatchObject({ verdict: 'supported', votes: { supports: 1, context: 3 } });
  });

  test('after a step that failed the others say that nothing came, at their first attempt', async () => {
    const outcome = await watched(pipeline, failing('changes'));
    expect(outcome.status).toBe('partial');
    expect(outcome.gaps).toEqual([
      expect.objectContaining({ path: 'root/changes', kind: 'token' }),
      { path: 'root/storms', kind: 'undone', why: 'it needs "changes", which left no report' },
      { path: 'root/verdict', kind: 'insufficient', why: '"storms" handed nothing on' },
    ]);
    expect(attemptsIn(outcome)).toBe(1 + 3 + 1 + 1);
    expect(outcome.brief.assessment).not.toHaveProperty('conviction');
  });
});

describe('a staged pipeline with feedback', () => {
  const REVIEWERS = ['trend', 'country', 'season'];
  const round = (n: number): string[][] => [REVIEWERS.map((name) => `${name}-${n}`), [`revise-${n}`]];

  test('gather, draft, and as many rounds of review and revision as are defined; each sees what it needs', async () => {
    expect(stagesOf(staged)).toEqual([['construction', 'country'], ['draft'], ...round(1), ...round(2), ...round(3)]);
    const outcome = await watched(staged);
    expect(new Map(outcome.read)).toEqual(declaredNeeds(staged));
    expect(outcome.read.get('season-2')).toEqual(['revise-1']);
    expectOrder(outcome.events, declaredNeeds(staged));
  });

  test('each revision is better than the one before it until nobody objects, and then it stays', async () => {
    const outcome = await watched(staged);
    const models = ['draft', 'revise-1', 'revise-2', 'revise-3'].map((name) => said(outcome, name));
    const [draft = 0, first = 0, second = 0, third = 0] = models.map((model) => model?.value);
    expect(draft).toBe(0);
    expect(first).toBeGreaterThan(0.8);
    expect(second).toBeGreaterThan(first + 0.1);
    expect(third).toBe(second);
    expect(models.map((model) => model?.data)).toEqual([
      expect.objectContaining({ terms: [] }),
      expect.objectContaining({ terms: ['country'] }),
      expect.objectContaining({ terms: ['country', 'season'] }),
      expect.objectContaining({ terms: ['country', 'season'] }),
    ]);
    const objections = [1, 2, 3].map((n) => REVIEWERS.map((name) => said(outcome, `${name}-${n}`)?.data));
    expect(objections).toEqual([
      [['trend'], ['country'], []],
      [[], [], ['season']],
      [[], [], []],
    ]);
    expect(outcome.brief.assessment).toMatchObject({ verdict: 'supported', votes: { supports: 1, against: 0 } });
  });

  test('a revision with ballast goes back once, and is told which term it is', async () => {
    const outcome = await watched(staged);
    const failed = outcome.events.flatMap((event) => (event.type === 'attempt.failed' ? [event] : []));
    expect(failed).toEqual([
      expect.objectContaining({ path: 'root/revise-1', attempt: 1, willRetry: true, fault: expect.anything() }),
    ]);
    expect(outcome.told).toEqual([expect.stringMatching(/^revise-1: .*"trend" is ballast/)]);
    expect(attemptsIn(outcome)).toBe(15 + 1);
  });

  test('reviewers that object for ever keep it busy no longer than defined', async () => {
    const isReviewer = (path: string): boolean => REVIEWERS.includes(nameOf(path).replace(/-\d$/, ''));
    const outcome = await watched(staged, (own) => ({
      attempt: async (input, io) =>
        isReviewer(input.task.path)
          ? { statement: 'Never enough', data: ['trend'], flags: ['context'] }
          : own.attempt(input, io),
    }));
    expect(outcome.status).toBe('complete');
    expect(outcome.brief.children).toHaveLength(15);
    expect(attemptsIn(outcome)).toBeLessThanOrEqual(12 + 3 * 3);
  });

  test('what a reviewer that failed did not say is found in the next round', async () => {
    const outcome = await watched(staged, failing('country-1'));
    expect(outcome.status).toBe('partial');
    expect(said(outcome, 'revise-3')?.value).toBeGreaterThan(0.9);
  });
});

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RUNS = [
  ['orchestrator-workers', 'Every relative link'],
  ['pipeline', 'The worst months'],
  ['staged-pipeline-with-feedback', 'Unemployment in construction'],
] as const;
const nodeAt = (cwd: string, args: readonly string[]) =>
  promisify(execFile)(process.execPath, ['--conditions=espalier-source', ...args], { cwd });

test.each(RUNS)('%s runs as a script, and as the guide shows', async (name) => {
  const { stdout, stderr } = await nodeAt(ROOT, [`scenarios/shapes/${name}.ts`]);
  expect(stderr).toBe('');
  const guide = readFileSync(join(ROOT, 'docs/guides/shapes.md'), 'utf8');
  const shown = new RegExp(`<!-- ${name} -->\\s*\`\`\`text\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1];
  // What the first one finds depends on the folder.
  if (name === 'orchestrator-workers') expect(stdout).toMatch(/^\d+ documents, 0 with broken links\n$/);
  else expect(stdout).toBe(shown);
});

test.each(RUNS)('%s runs on the command line', async (name, thesis) => {
  using place = workspace();
  const main = join(ROOT, 'src/cli/main.ts');
  const { stdout } = await nodeAt(place.path, [main, 'run', join(ROOT, `scenarios/shapes/${name}.ts`)]);
  expect(stdout).toContain(thesis);
  expect(stdout).toContain('No gaps.');
});
