/** Misuse that is found before a scenario is loaded, without a process for each. */
import { describe, expect, it } from 'vitest';
import { said } from './said.ts';

const MISUSE: [args: string[], line: string][] = [
  [
    ['list'],
    "unknown command 'list'. There are run, plan, check, resume, worker, show, trace, runs, doctor and verify.",
  ],
  [['run'], 'missing required argument \'scenario\'. See "espalier --help".'],
  [['rum'], "unknown command 'rum'. Did you mean run?"],
  [['run', 'a.ts', 'b.ts'], "too many arguments for 'run'"],
  [['run', 'a.ts', '--frob'], "unknown option '--frob'."],
  [['plan', 'a.ts', '--jsn'], "unknown option '--jsn'. Did you mean --json?"],
  [['run', 'a.ts', '--as-of'], "option '--as-of <date>' argument missing."],
  [
    ['run', 'a.ts', '--as-of', 'yesterday'],
    'The as-of date "yesterday" is not a calendar date. Write it as YYYY-MM-DD.',
  ],
  [['run', 'a.ts', '--as-of', '2008-02-30'], 'The as-of date "2008-02-30" is not a calendar date.'],
  [['run', 'a.ts', '--deadline', '-5m'], 'The deadline "-5m" is not a positive duration'],
  [['run', 'a.ts', '--deadline', '0s'], 'The deadline "0s" is not a positive duration'],
  [['run', 'a.ts', '--max-depth', '-1'], '"-1", given to --max-depth, is not a whole number of at least 0.'],
  [['run', 'a.ts', '--max-depth', '1.5'], '"1.5", given to --max-depth, is not a whole number'],
  [
    ['run', 'a.ts', '--budget-usd', '-1'],
    '"-1", given to --budget-usd, is not an amount of up to 1000000. Give US dollars, such as 2.50.',
  ],
  [
    ['resume', 'latest', '--budget-leaves', '1.5'],
    '"1.5", given to --budget-leaves, is not a whole number of at least 0. Give one such as 1.',
  ],
  [['run', 'a.ts', '--concurrency', '0'], '"0", given to --concurrency, is not a whole number of at least 1.'],
  [['run', 'a.ts', '--domains', 'a,,b'], '"a,,b", given to --domains, is not a list of names.'],
  [['run', 'a.ts', '--thesis', ' '], 'The thesis of --thesis is empty.'],
  [['run', 'a.ts', '--out', ''], 'The directory of --out is empty.'],
  [['run', 'a.ts', '--fault', 'root'], 'The fault "root" cannot be read. Write PATH[:plan|gather|synthesize]='],
  [['run', 'a.ts', '--fault', 'root=slow'], 'The fault "root=slow" cannot be read.'],
  [['check', 'nowhere.ts'], 'There is no scenario file nowhere.ts. Give the path'],
  [['check', 'a.ts', '--fault', 'root=hang'], "unknown option '--fault'."],
  [
    ['check', 'a.ts', '--max-severity', 'fatal'],
    "option '--max-severity <severity>' argument 'fatal' is invalid. Allowed choices are none, note, warning, error.",
  ],
  [['run', 'nowhere.ts'], 'There is no scenario file nowhere.ts. Give the path'],
  [['run', 'a\u001b[31m.ts'], 'There is no scenario file a⟨U+001B⟩[31m.ts.'],
  [['show'], "missing required argument 'run'"],
  [['runs', '--state', 'gone'], "argument 'gone' is invalid"],
  [['runs', '--limit', '0'], '"0", given to --limit, is not a whole number of at least 1.'],
  [['runs', '--since', '2026-02-30'], '"2026-02-30", given to --since, is no calendar date.'],
  [['runs', 'prune'], 'Nothing says which runs go. Give --keep, --older-than, or both'],
  [['runs', 'prune', '--older-than', '30'], '"30", given to --older-than, is no age. Give one such as 12h, 30d or 8w.'],
  [['runs', '--scenario', 'x', 'prune', '--keep', '0'], '--scenario stands before "prune". Give it after'],
  [['plan', 'test'], 'test is not a file.'],
  [['run', 'README.md'], 'README.md is no scenario file by its ending.'],
];

describe('the command line', () => {
  it.each(MISUSE)('answers %j with one line and exit code 2', async (args, line) => {
    const { code, stdout, stderr } = await said(...args);
    expect(stderr).toMatch(/^espalier: .*\.?\n$/);
    expect(stderr).toContain(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('explains itself when asked, on stdout', async () => {
    const help = await said('--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('Examples:\n  espalier run scenarios/us-tech-2008.ts');
    expect((await said('run', '--help')).stdout).toContain('--fault <fault>');
    expect((await said('check', '--help')).stdout).toMatch(/--rehearse\s+execute the scenario's code once/);
    expect(await said('--version')).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  });

  it('explains itself on stderr when no command is given', async () => {
    const { code, stdout, stderr } = await said();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: espalier');
  });
});
