/** The remarks of a check, as a list for people. */
import { escapeTerminal } from './escape-terminal.ts';
import { counted } from './figures.ts';
import { plain, type Paint, type Style } from './paint.ts';
import { wrapText } from './text-layout.ts';

export type RemarkLine = {
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly path: string;
  readonly message: string;
};
export type RemarksOptions = {
  /** Columns. Default 80. */
  readonly width?: number;
  readonly paint?: Paint;
};

const STYLES: Readonly<Record<RemarkLine['severity'], Style>> = { error: 'red', warning: 'yellow', note: 'cyan' };
const INDENT = '  ';

/** `3 warnings, 1 note`. */
function summaryOf(remarks: readonly RemarkLine[]): string {
  const counts = (['error', 'warning', 'note'] as const).flatMap((severity) => {
    const count = remarks.filter((remark) => remark.severity === severity).length;
    return count === 0 ? [] : counted(count, severity);
  });
  return counts.length === 0 ? 'Nothing to remark.' : counts.join(', ');
}

/** Renders remarks in their order, and a line that counts them. */
export function renderRemarks(remarks: readonly RemarkLine[], options: RemarksOptions = {}): string {
  const width = Math.max(40, options.width ?? 80);
  const paint = options.paint ?? plain;
  const lines: string[] = [];
  for (const { rule, severity, path, message } of remarks) {
    const [first = '', ...rest] = wrapText(escapeTerminal(`${severity} ${path}  ${rule}`), width);
    lines.push(paint(STYLES[severity], severity) + paint('bold', first.slice(severity.length)));
    lines.push(...rest.map((line) => paint('bold', line)));
    lines.push(...wrapText(escapeTerminal(message), width, INDENT), '');
  }
  lines.push(summaryOf(remarks));
  return `${lines.join('\n')}\n`;
}
