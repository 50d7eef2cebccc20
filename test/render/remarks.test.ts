import { describe, expect, test } from 'vitest';
import { renderRemarks, type RemarkLine } from '../../src/render/remarks.ts';
import { displayWidth } from '../../src/render/text-layout.ts';

const remark = (over: Partial<RemarkLine> = {}): RemarkLine => ({
  rule: 'needless-sequence',
  severity: 'warning',
  path: 'root/macro/regime',
  message:
    'Waits for "payrolls", whose report it never reads, as far as its text shows. Remove it from needs, or read prior("payrolls").',
  ...over,
});

describe('remarks', () => {
  test('each with where it is and what to do, and a line that counts them', () => {
    const remarks = [
      remark(),
      remark({ path: 'root/a' }),
      remark({ severity: 'note', rule: 'tier-too-wide', path: 'root', message: 'Has 51 children.' }),
    ];
    expect(renderRemarks(remarks)).toBe(`warning root/macro/regime  needless-sequence
  Waits for "payrolls", whose report it never reads, as far as its text shows.
  Remove it from needs, or read prior("payrolls").

warning root/a  needless-sequence
  Waits for "payrolls", whose report it never reads, as far as its text shows.
  Remove it from needs, or read prior("payrolls").

note root  tier-too-wide
  Has 51 children.

2 warnings, 1 note
`);
  });

  test('none', () => expect(renderRemarks([])).toBe('Nothing to remark.\n'));

  test('no line is longer than the screen is wide, whatever the path, and no control character comes through', () => {
    const long = remark({ path: `root/${'deep/'.repeat(60)}leaf`, message: `a\u001b[31m${'word '.repeat(90)}` });
    const text = renderRemarks([long], { width: 60 });
    expect(text.split('\n').filter((line) => displayWidth(line) > 60)).toEqual([]);
    expect(text).not.toContain('\u001b');
  });

  test('severities are told apart by colour where there is any', () => {
    const paint = (style: string, text: string): string => `<${style}>${text}</${style}>`;
    const lines = renderRemarks([remark({ severity: 'error' }), remark(), remark({ severity: 'note' })], { paint });
    expect(lines.match(/<(?:red|yellow|cyan)>\w+/g)).toEqual(['<red>error', '<yellow>warning', '<cyan>note']);
  });
});
