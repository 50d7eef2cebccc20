/** The decision tree of a plan: who would work on which question, after whom, from which sources, and who would not. */
import type { Decision } from '../protocol/decision.ts';
import { escapeTerminal } from './escape-terminal.ts';
import { counted, enumerated, formatDuration, formatUsd } from './figures.ts';
import { plain, type Paint, type Style } from './paint.ts';
import { wrapText } from './text-layout.ts';
import { nameOf } from '../protocol/path.ts';

/** A node of a plan, as far as it is shown. */
export type PlanTreeNode = {
  readonly path: string;
  readonly question: string;
  readonly description?: string;
  readonly decision?: Decision;
  readonly cannotExecute?: true;
  readonly sources: readonly string[];
  readonly needs: readonly string[];
  readonly estimateMs: number;
  readonly estimateFrom?: 'runs' | 'author' | 'nobody';
  readonly asks?: readonly { readonly model: string; readonly from: 'runs' | 'author' }[];
  readonly children: readonly PlanTreeNode[];
};
export type PlanTree = {
  readonly scenario: string;
  readonly thesis: string;
  readonly asOf?: string;
  readonly maxDepth: number;
  readonly deadlineMs: number;
  readonly concurrency: number;
  readonly expectedMs: number;
  readonly measured: { readonly leaves: number; readonly of: number };
  readonly cost?: Spent & { readonly models: readonly (Spent & { readonly class: string; readonly model: string })[] };
  readonly root: PlanTreeNode;
  readonly warnings: readonly string[];
};
type Spent = { readonly calls: number; readonly usd: number };
export type PlanTreeOptions = {
  /** Columns. Default 80. */
  readonly width?: number;
  readonly paint?: Paint;
};

const leavesUnder = (node: PlanTreeNode): number =>
  node.children.length === 0
    ? Number(!node.cannotExecute)
    : node.children.reduce((sum, child) => sum + leavesUnder(child), 0);
const depthUnder = (node: PlanTreeNode): number =>
  node.children.length === 0 ? 0 : 1 + node.children.reduce((most, child) => Math.max(most, depthUnder(child)), 0);

const isEstimated = ({ estimateFrom, children }: PlanTreeNode): boolean =>
  estimateFrom === 'author' || children.some(isEstimated);

function expectation({ expectedMs, measured: { leaves, of }, root }: PlanTree): string {
  const fromRuns = `from earlier runs for ${leaves} of ${counted(of, 'leaf', 'leaves')}`;
  const from = leaves > 0 ? fromRuns : isEstimated(root) ? 'from estimates' : 'no earlier runs';
  return `Expected: about ${formatDuration(expectedMs)} (${from}).`;
}

/** By the prices of the run's models, nothing cached and nothing tried again. */
function costs({ cost, root }: PlanTree): string | undefined {
  if (!cost) return undefined;
  const said = ({ usd, calls }: Spent): string => `${formatUsd(usd)} for ${counted(calls, 'call')}`;
  const models = cost.models.map((one) => `${one.class} ${one.model}: ${said(one)}`);
  const from = isMeasured(root) ? 'by what the last run used, where that is known' : 'by estimates of tokens';
  return `Expected cost: about ${said(cost)} (${models.join('; ')}), ${from}.`;
}
const isMeasured = ({ asks = [], children }: PlanTreeNode): boolean =>
  asks.some(({ from }) => from === 'runs') || children.some(isMeasured);

function workOf({ decision, cannotExecute, children, needs, sources, estimateMs, asks = [] }: PlanTreeNode): string {
  if (cannotExecute) return 'cannot execute, having no execute of its own: its children will be gaps';
  const parts: string[] = [];
  if (children.length > 0) {
    const stages = decision?.stages.length ?? 1;
    const inStages = stages > 1 ? ` in ${counted(stages, 'stage')}` : '';
    const quorum = decision?.quorum === undefined ? '' : `, ${decision.quorum} suffice`;
    parts.push(`${counted(children.length, 'child', 'children')}${inStages}${quorum}`);
  } else if (decision) parts.push('executes as a leaf');
  if (needs.length > 0) parts.push(`after ${enumerated(needs)}`);
  if (children.length === 0 && sources.length > 0) parts.push(`reads ${enumerated(sources, 4)}`);
  if (asks.length > 0) parts.push(`asks ${enumerated([...new Set(asks.map(({ model }) => model))])}`);
  parts.push(`about ${formatDuration(estimateMs)}`);
  return parts.join(', ');
}

/** Renders a plan as a tree. */
export function renderPlanTree(plan: PlanTree, options: PlanTreeOptions = {}): string {
  const width = Math.max(40, options.width ?? 80);
  const paint = options.paint ?? plain;
  const lines: string[] = [];
  const write = (text: string, first: string, next: string, style?: Style, bold = ''): void => {
    const wrapped = wrapText(escapeTerminal(text), width, first);
    for (const [index, line] of wrapped.entries()) {
      const body = line.slice(first.length);
      const head = index === 0 && body.startsWith(bold) ? bold : '';
      const tail = body.slice(head.length);
      const lead = paint('dim', index === 0 ? first : next);
      lines.push(`${lead}${paint('bold', head)}${style ? paint(style, tail) : tail}`);
    }
  };

  /** `isAsked`: whoever decided may ask it something else than was declared. */
  const visit = (node: PlanTreeNode, known: string, branch: string, indent: string, isAsked = false): void => {
    const left = [
      ...(node.decision?.skipped ?? []).map(({ name, why }) => `skipped ${name}: ${why}`),
      ...(node.decision?.demoted ?? []).map((name) =>
        node.cannotExecute ? `a gap, depth is spent: ${name}` : `not spawned, depth is spent: ${name}`,
      ),
    ];
    const under = node.children.length + left.length === 0 ? `${indent}  ` : `${indent}│ `;
    const name = nameOf(node.path);
    write(`${name}: ${workOf(node)}`, branch, under, 'dim', name);
    const says = node.description ?? (node.question === known ? '' : node.question);
    if (says !== '') write(says, under, under);
    if (isAsked && node.question !== known && says !== node.question) write(`asked: ${node.question}`, under, under);
    for (const expected of node.decision?.expects ?? []) write(`expected: ${expected}`, under, under, 'dim');
    for (const reason of node.decision?.reasons ?? []) write(`decided: ${reason}`, under, under, 'dim');
    for (const [index, child] of node.children.entries()) {
      const isEnd = left.length === 0 && index === node.children.length - 1;
      const isDecided = node.decision !== undefined && node.decision.by !== 'scenario';
      visit(child, node.question, `${indent}${isEnd ? '└ ' : '├ '}`, `${indent}${isEnd ? '  ' : '│ '}`, isDecided);
    }
    for (const [index, text] of left.entries()) {
      const isEnd = index === left.length - 1;
      write(text, `${indent}${isEnd ? '└ ' : '├ '}`, `${indent}${isEnd ? '  ' : '│ '}`, 'yellow');
    }
  };

  const asOf = plan.asOf === undefined ? '' : `as of ${plan.asOf}, `;
  write(plan.thesis, '', '', 'bold');
  write(
    `Scenario ${plan.scenario}, ${asOf}due in ${formatDuration(plan.deadlineMs)}, depth ${depthUnder(plan.root)} of at ` +
      `most ${plan.maxDepth}, ${counted(leavesUnder(plan.root), 'leaf', 'leaves')}, ${plan.concurrency} at once.`,
    '',
    '',
  );
  write(expectation(plan), '', '');
  const cost = costs(plan);
  if (cost !== undefined) write(cost, '', '');
  for (const warning of plan.warnings) write(warning, '! ', '  ', 'yellow');
  lines.push('');
  // The root's question is the thesis, which stands above.
  visit(plan.root, plan.thesis, '', '');
  return `${lines.join('\n')}\n`;
}
