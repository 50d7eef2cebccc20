/** Memories in files: read at planning, added to by code, edited by people. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryFolder } from '../../../src/adapters/memory/memory-folder.ts';
import { defineDomain } from '../../../src/define/define-domain.ts';
import { defineLeaf } from '../../../src/define/define-leaf.ts';
import { defineScenario } from '../../../src/define/define-scenario.ts';
import type { Memory } from '../../../src/ports/memory.ts';
import { draft, world } from '../../support/world.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'espalier-memory-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (path: string): string => join(folder, path, 'MEMORY.md');
const textOf = (path: string): string => readFileSync(fileOf(path), 'utf8');
const lesson = (text: string, asOf = '2008-06-01', runId = 'r1') => ({ runId, asOf, text });

describe('a memory folder', () => {
  it('makes a file for each orchestrator when there is something to remember', () => {
    const memory = memoryFolder(folder);
    expect(memory.read('root')).toBe('');
    memory.append('root/macro', []);
    expect(existsSync(fileOf('root/macro'))).toBe(false);
    memory.append('root/macro', [lesson('payrolls failed')]);
    expect(textOf('root/macro')).toMatch(
      /^# Memory of macro\n[\s\S]*## Strategy\n\n## Learned by runs\n\n- \[run r1 as of 2008-06-01\] payrolls failed\n$/,
    );
    expect(memory.read('root/macro')).toContain('payrolls failed');
  });

  it('keeps what people write, wherever they write it', () => {
    const memory = memoryFolder(folder);
    memory.append('root', [lesson('one')]);
    const edited = textOf('root')
      .replace('## Strategy\n', '## Strategy\n\nAsk the labour market first.\n')
      .replace('] one', '] one\n- by hand: never trust one source')
      .concat('\n## Later\n\nA thought.\n');
    writeFileSync(fileOf('root'), edited);
    memory.append('root', [lesson('two', '2008-07-01', 'r2')]);
    const text = textOf('root');
    expect(text).toContain('Ask the labour market first.');
    expect(text).toMatch(
      /\] one\n- by hand: never trust one source\n- \[run r2 as of 2008-07-01\] two\n\n## Later\n\nA thought\.\n$/,
    );
  });

  it('begins its section anew where people have removed it', () => {
    const memory = memoryFolder(folder);
    memory.append('root', [lesson('one')]);
    writeFileSync(fileOf('root'), 'Only this.\r\n');
    memory.append('root', [lesson('two')]);
    expect(textOf('root')).toBe('Only this.\n\n## Learned by runs\n\n- [run r1 as of 2008-06-01] two\n');
  });

  it('forgets the oldest lessons when it grows too long, and never what people wrote', () => {
    const memory = memoryFolder(folder, { longest: 1_000 });
    memory.append('root', [lesson('first')]);
    writeFileSync(fileOf('root'), textOf('root').replace('## Strategy\n', '## Strategy\n\nBy hand.\n'));
    for (let i = 0; i < 40; i++) memory.append('root', [lesson(`lesson number ${i}`, '2008-06-01', `r${i}`)]);
    const text = textOf('root');
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_000);
    expect(text).toContain('By hand.');
    expect(text).toContain('lesson number 39');
    expect(text).not.toContain('lesson number 3\n');
    writeFileSync(fileOf('root'), 'x'.repeat(3_000));
    memory.append('root', [lesson('too much')]);
    expect(textOf('root')).toContain('x'.repeat(3_000));
    expect(memory.read('root')).toHaveLength(1_000 + '\n[cut]'.length);
  });

  it('says the same thing once, by the latest run that learned it', () => {
    const memory = memoryFolder(folder);
    memory.append('root', [lesson('same'), lesson('same')]);
    memory.append('root', [lesson('same', '2009-01-01', 'r2')]);
    expect(textOf('root').match(/same/g)).toHaveLength(1);
    expect(textOf('root')).toContain('[run r2 as of 2009-01-01] same');
  });

  it('reads nothing that was learned of a later day', () => {
    const memory = memoryFolder(folder);
    memory.append('root', [lesson('early', '2008-01-01'), lesson('late', '2009-01-01')]);
    const read = memory.read('root', '2008-06-01');
    expect(read).toContain('early');
    expect(read).not.toContain('late');
    expect(memory.read('root')).toContain('late');
  });

  it('keeps a lesson on one line of bounded length, whatever is in it', () => {
    const memory = memoryFolder(folder);
    memory.append('root', [lesson(`a\n## Strategy\n- [run x as of 2000-01-01] b${'c'.repeat(1_000)}`)]);
    expect(textOf('root').match(/^## Strategy$/gm)).toHaveLength(1);
    expect(
      textOf('root')
        .split('\n')
        .find((line) => line.startsWith('- [run r1')),
    ).toHaveLength('- [run r1 as of 2008-06-01] '.length + 400);
  });

  it('shows what was learned in the words of others as text: nothing steers a terminal, hides or is HTML', () => {
    memoryFolder(folder).append('root', [lesson('a \u001b[2Jb\u200b <img src=x onerror=y>\u{E0049}')]);
    expect(textOf('root')).toContain('] a [2Jb ‹img src=x onerror=y>\n');
  });

  it('loses nothing of what runs of several processes add at once', async () => {
    const script = `
      const { memoryFolder } = await import(process.argv[1]);
      const memory = memoryFolder(process.argv[2], { longest: 100_000 });
      for (let i = 0; i < 40; i++) memory.append('root', [{ runId: 'r', asOf: '2008-06-01', text: process.pid + ' ' + i }]);`;
    const module = new URL('../../../src/adapters/memory/memory-folder.ts', import.meta.url).href;
    const args = ['--input-type=module', '-e', script, module, folder];
    await Promise.all(Array.from({ length: 3 }, () => promisify(execFile)(process.execPath, args)));
    expect(textOf('root').match(/^- \[run r as of 2008-06-01\] \d+ \d+$/gm)).toHaveLength(120);
    expect(readdirSync(join(folder, 'root'))).toEqual(['MEMORY.md']);
  });

  it('is not held up by a lock that a process which died has left', () => {
    const memory = memoryFolder(folder);
    memory.append('root', [lesson('first')]);
    const lock = join(folder, 'root', 'MEMORY.md.lock');
    writeFileSync(lock, '');
    expect(() => memory.append('root', [lesson('second')])).toThrow('MEMORY.md.lock is held by another process');
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    memory.append('root', [lesson('second')]);
    expect(textOf('root')).toContain('second');
    expect(existsSync(lock)).toBe(false);
  });

  it.each([
    [() => memoryFolder(''), 'memoryFolder was given the text ""'],
    [() => memoryFolder(folder, { longest: 3 }), 'memoryFolder has longest: 3. Give a whole number of at least 1000.'],
    [() => memoryFolder(folder).read('../etc'), 'There is no memory of "../etc"'],
  ])('refuses misuse', (call, message) => {
    expect(call).toThrow(message);
  });
});

describe('a run', () => {
  const scenarioWith = (memory: Memory, seen: string[] = []) =>
    defineScenario({
      name: 's',
      thesis: 'It holds',
      asOf: '2008-06-01',
      memory,
      decide: ({ memory }) => (
        seen.push(memory),
        { shape: 'fan-out', skipped: [{ name: 'y', why: 'no need' }], reasons: ['as ever'] }
      ),
      domains: [
        defineDomain({
          name: 'x',
          charter: 'x',
          children: [
            defineLeaf({
              name: 'a',
              recover: () => 'read the second table',
              run({ task, attempt }) {
                if (attempt === 1) throw new Error('wrong table');
                return draft(task.path);
              },
            }),
            defineLeaf({ name: 'b', attempts: 1, run: () => Promise.reject(new Error('no such file')) }),
          ],
        }),
        defineLeaf({ name: 'y', run: () => [] }),
      ],
    });

  it('tells its deciders what they remember, and remembers what it chose, what helped and what failed', async () => {
    const seen: string[] = [];
    const scenario = scenarioWith(memoryFolder(folder), seen);
    await world(scenario, {}, { runId: 'run1' }).run();
    expect(seen).toEqual(['']);
    expect(textOf('root')).toContain(
      '- [run run1 as of 2008-06-01] decider: activated x; skipped y for "It holds"; partial: 1 findings, 0 critical, 2 gaps, conviction ',
    );
    expect(textOf('root/x')).toContain('] a succeeded after it was told: read the second table');
    expect(textOf('root/x')).toContain('] b failed (error): no such file');
    await world(scenario, {}, { runId: 'run2' }).run();
    expect(seen[1]).toContain('[run run1 as of 2008-06-01] decider: activated x');
    expect(textOf('root/x').match(/second table/g)).toHaveLength(1);
  });

  it('is not harmed by a memory that cannot be kept or read, and says so', async () => {
    const broken: Memory = {
      read: () => {
        throw new Error('it is gone');
      },
      append: () => {
        throw new Error('disk full');
      },
    };
    const w = world(scenarioWith(broken));
    const { brief } = await w.run();
    expect(w.eventsOf('memory.failed')).toMatchObject([{ path: 'root', message: 'disk full' }]);
    expect(brief.decision).toMatchObject({
      by: 'scenario',
      skipped: [],
      reasons: ['the decider failed (it is gone): as declared'],
    });
    expect(w.events.at(-1)?.type).toBe('run.completed');
  });
});
