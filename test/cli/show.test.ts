import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Review } from '../../src/protocol/review.ts';
import { Report } from '../../src/protocol/report.ts';
import { said } from './said.ts';
import { storeAt } from './stored-runs.ts';

const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('espalier show', () => {
  it('answers of the latest run who was waited for', async () => {
    using at = storeAt();
    await at.keep({ runId: 'older', at: 1 });
    await at.keep({ runId: 'newer' });
    const { code, stdout, stderr } = await said('show', 'latest', '--store', at.file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(flat(stdout)).toContain('tree, as of 2008-06-01: complete, 7 nodes, 4 leaves, depth 2 of 2');
    expect(stdout).toContain('Run newer, started 2026-11-20 10:00:00 UTC, took 8.0 s of 8 min');
    expect(flat(stdout)).toContain('4 findings at the root, 1 critical, 0 gaps');
    expect(flat(stdout)).toContain('Bottleneck: leaf, root/d1/l1: 8.0 s of 8.0 s, mostly work.');
    expect(stdout).toContain('root waited 6.0 s for d1 alone, after d0');
  });

  it('of a resumed run counts no time in which nobody worked on it', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' }, 5_000);
    await at.keep({ runId: 'abc', resume: 'abc', deadline: '10m', at: Date.UTC(2026, 10, 22, 10) });
    const { stdout } = await said('show', 'abc', '--store', at.file);
    expect(stdout).toContain('ended 2026-11-22 10:00:08 UTC, 10 min');
    const list = await said('runs', '--store', at.file);
    expect(list.stdout).toMatch(/complete +\d +8\.0 s/);
  });

  it('takes an empty id for none', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' });
    expect(await said('show', '', '--store', at.file)).toMatchObject({ code: 2, stdout: '' });
  });

  it('prints the same as data', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' });
    const { stdout } = await said('show', 'a', '--store', at.file, '--json');
    const view = JSON.parse(stdout) as { runId: string; asOf: string; review: unknown; nodes: unknown[] };
    expect(view).toMatchObject({ runId: 'abc', asOf: '2008-06-01', state: 'complete' });
    expect(Review.parse(view.review).waits[0]).toMatchObject({ slowest: 'root/d1', ms: 6_000 });
    expect(view.nodes).toHaveLength(7);
  });

  it('tells the story of a node', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc', faults: ['root/d0/l1=throw'] });
    const failed = await said('show', 'abc', 'root/d0/l1', '--store', at.file);
    expect(failed.code).toBe(0);
    for (const text of [
      'error; node of run abc, tree',
      'Failed: error',
      'after 3 attempts',
      'failed (error): a rehearsed fault',
    ]) {
      expect(failed.stdout).toContain(text);
    }
    expect(failed.stdout).toMatch(/\n {2}2\. [^\n]+\n {5}It had been told: /);
    expect(failed.stdout).toContain(
      'root/d0 vouches for root/d0/l1\n  root vouches for root/d0\n  the receipt vouches',
    );
    const domain = await said('show', 'abc', 'root/d1', '--store', at.file);
    expect(flat(domain.stdout)).toContain('by the scenario: to divide l0 and l1');
    expect(domain.stdout).toContain('CRITICAL (alarm: it rings) Said by root/d1/l0');
    expect(domain.stdout).toContain('waited 8.0 s for l1');
    const data = await said('show', 'abc', 'root/d1', '--store', at.file, '--json');
    const view = JSON.parse(data.stdout) as { outcome: unknown };
    expect(Report.parse(view.outcome).escalations).toHaveLength(1);
    expect(view).toMatchObject({ path: 'root/d1', begun: 1, parts: [{ waitedFor: 'l1', ms: 8_000 }] });
  });

  it('says of an interrupted run how to go on, and of a resumed one that it was', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' }, 5_000);
    const cut = await said('show', 'abc', '--store', at.file);
    expect(cut.stdout).toContain('Go on with it: espalier resume abc');
    expect(cut.stdout).toContain('2 findings so far, 0 critical');
    const open = await said('show', 'abc', 'root/d0', '--store', at.file);
    expect(open.stdout).toContain('root has not reported, and so does not vouch for root/d0 yet.');
    await at.keep({ runId: 'abc', resume: 'abc', at: Date.UTC(2026, 10, 21) });
    const whole = await said('show', 'abc', '--store', at.file);
    expect(flat(whole.stdout)).toContain(
      'It was resumed: 3 nodes had ended before. Bottleneck and critical path are of the 8.0 s since; all else',
    );
    const again = await said('show', 'abc', 'root/d1/l0', '--store', at.file);
    expect(again.stdout).toContain('It began 2 times');
    expect(again.stdout.match(/^ {2}\d\. /gm)).toEqual(['  1. ']);
  });

  it('says who works on it', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' });
    at.store.claim('abc');
    const { stdout } = await said('show', 'abc', '--store', at.file);
    expect(flat(stdout)).toContain(`Process ${process.pid} on `);
  });

  it('notices when a node is not what its parent vouched for', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc' });
    const node = at.store.node('abc', 'root/d1');
    if (!node) throw new Error('it was kept');
    const writer = at.store.claim('abc');
    writer.write({ events: [], nodes: [{ ...node, digest: '0'.repeat(64) }], durations: [], enrichments: [] });
    writer.release();
    const { stdout } = await said('show', 'abc', 'root/d1', '--store', at.file);
    expect(stdout).toContain('root names another digest of root/d1: something was changed');
  });

  it('escapes what was said', async () => {
    using at = storeAt();
    await at.keep({ runId: 'abc', thesis: 'Red \u001B[31m thesis' });
    for (const args of [['abc'], ['abc', 'root/d1/l0']]) {
      const { stdout } = await said('show', ...args, '--store', at.file);
      expect(stdout).toContain('Red ⟨U+001B⟩[31m thesis');
      expect(stdout).not.toContain('\u001B');
    }
  });

  it('ends in one line when there is nothing to show', async () => {
    using at = storeAt();
    const ask = async (...args: string[]) => {
      const { code, stdout, stderr } = await said('show', ...args, '--store', at.file);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^espalier: [^\n]+\n$/);
      return stderr;
    };
    expect(await ask('latest')).toContain('There is no run "latest"');
    await at.keep({ runId: 'abc1' });
    await at.keep({ runId: 'abc2' });
    expect(await ask('x')).toContain('There is no run "x" in');
    expect(await ask('abc')).toContain('"abc" is the beginning of 2 runs: abc2, abc1. Give more of it.');
    expect(await ask('abc1', 'root/d0/l9')).toContain('The run has no node root/d0/l9. Did you mean "root/d0/l0"');
    const { code, stderr } = await said('show', 'latest', '--store', `${at.file}.none`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/There is no run "latest": no store .* yet/);
    expect(existsSync(`${at.file}.none`)).toBe(false);
  });
});
