import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openOutDir } from '../../src/cli/out-dir.ts';
import { emptyReport } from '../render/sample-report.ts';
import { workspace } from './command.ts';
import { escalated, runStarted } from './progress-events.ts';

describe('the files of a run', () => {
  it('hold every event soon after it happened (invariant 2), and both forms of the brief', async () => {
    using at = workspace();
    const out = openOutDir(join(at.path, 'deep', 'down'));
    out.write(runStarted());
    out.write(escalated('root/a'));
    await vi.waitFor(() => expect(readFileSync(out.files.events, 'utf8').split('\n')).toHaveLength(3));
    out.write(escalated('root/b'));
    out.finish(emptyReport());
    expect(readFileSync(out.files.events, 'utf8').split('\n')).toHaveLength(4);
    expect(JSON.parse(readFileSync(out.files.report, 'utf8'))).toEqual(emptyReport());
    expect(readFileSync(out.files.brief, 'utf8')).toMatch(/^# Hold/);
    expect(out.problems.size).toBe(0);
  });

  it('keeps the bytes of a hostile statement in the JSON', () => {
    using at = workspace();
    const out = openOutDir(at.path);
    const report = emptyReport({ narrative: '\u001b[2J<script>\n\u202e' });
    out.finish(report);
    expect(JSON.parse(readFileSync(out.files.report, 'utf8'))).toEqual(report);
    expect(readFileSync(out.files.brief, 'utf8')).toContain('⟨U+001B⟩\\[2J\\<script>');
  });

  it('refuses a directory that cannot be made (invariant 1)', () => {
    using at = workspace({ file: '' });
    expect(() => openOutDir(join(at.path, 'file', 'x'))).toThrow(/cannot be written to: not a directory. Name another/);
  });

  it.runIf(existsSync('/dev/full'))('costs a file and not the run when the disk is full (invariant 1)', () => {
    using at = workspace();
    symlinkSync('/dev/full', join(at.path, 'events.ndjson'));
    const out = openOutDir(at.path);
    out.write(runStarted());
    out.flush();
    out.write(runStarted());
    out.finish(emptyReport());
    expect([...out.problems.keys()]).toEqual([out.files.events]);
    expect(existsSync(out.files.brief)).toBe(true);
  });

  it('holds no brief of an earlier run while the next one goes on', () => {
    using at = workspace({ 'brief.md': 'old', 'brief.json': '{}', 'events.ndjson': 'old', 'notes.md': 'mine' });
    const { files } = openOutDir(at.path);
    expect([files.brief, files.report].filter((file) => existsSync(file))).toEqual([]);
    expect(readFileSync(files.events, 'utf8')).toBe('');
    expect(readFileSync(join(at.path, 'notes.md'), 'utf8')).toBe('mine');
  });

  it('refuses one in which a brief cannot be replaced, and leaves its events (invariant 1)', () => {
    using at = workspace({ 'events.ndjson': 'old' });
    mkdirSync(join(at.path, 'brief.json'));
    expect(() => openOutDir(at.path)).toThrow(/cannot be written to: .*\. Name another with --out\.$/);
    expect(readFileSync(join(at.path, 'events.ndjson'), 'utf8')).toBe('old');
  });

  it('replaces what an earlier run left in the same directory', () => {
    using at = workspace();
    mkdirSync(join(at.path, 'o'));
    writeFileSync(join(at.path, 'o', 'events.ndjson'), 'old');
    openOutDir(join(at.path, 'o')).finish(emptyReport());
    expect(readFileSync(join(at.path, 'o', 'events.ndjson'), 'utf8')).toBe('');
  });
});
