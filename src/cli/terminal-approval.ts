/** Shows a plan on stderr, and asks whoever sits at the terminal, or what is piped in, what to do with it. */
import { createInterface, type Interface } from 'node:readline';
import { escapeTerminal } from '../render/escape-terminal.ts';
import { renderPlanTree } from '../render/plan-tree.ts';
import { amendPlan } from '../runtime/ask-plan.ts';
import type { Scenario } from '../define/spec.ts';
import type { Approval, Approver, AskedPlan, PlanEdit, RunOptions } from '../runtime/run.ts';
import { oneLine } from './misuse.ts';
import type { Output } from './output.ts';
import { paintFor, widthOf } from './screen.ts';

export type TerminalApproval = { readonly approve: Approver; readonly close: () => void };

const HOW = 'yes · no [why] · skip NAME · activate NAME · ask NAME: QUESTION';

export function terminalApproval(scenario: Scenario, options: RunOptions, output: Output): TerminalApproval {
  const lines = createInterface({ input: process.stdin });
  const nextLine = linesOf(lines);
  const show = (plan: AskedPlan): void => {
    output.note(renderPlanTree(plan, { width: widthOf(process.stderr), paint: paintFor(process.stderr) }).trimEnd());
    const spent = Object.values(plan.decided.spent).reduce((sum, { usd = 0 }) => sum + usd, 0);
    if (spent > 0) output.note(`Planning has cost $${spent.toFixed(4)}.`);
  };
  return {
    close: () => lines.close(),
    async approve(plan) {
      show(plan);
      for (;;) {
        output.note(`Run this plan? ${HOW}`);
        const line = await nextLine();
        if (line === undefined) return { reject: 'nobody answered' };
        const answer = approvalIn(line.trim());
        if (typeof answer === 'string') output.note(`espalier: ${answer}`);
        else if (!('edit' in answer)) return answer;
        else {
          try {
            amendPlan(scenario, plan, answer.edit, options); // whether it can be
            return answer;
          } catch (error) {
            output.note(`espalier: ${oneLine(error)}`);
          }
        }
      }
    },
  };
}

/** Line by line, also those that came before anybody asked; undefined at the end. */
function linesOf(lines: Interface): () => Promise<string | undefined> {
  const come: (string | undefined)[] = [];
  let waiting: ((line: string | undefined) => void) | undefined;
  const take = (line: string | undefined): void => {
    if (!waiting) return void come.push(line);
    waiting(line);
    waiting = undefined;
  };
  lines.on('line', take).once('close', () => take(undefined));
  return () =>
    new Promise((resolve) => {
      if (come.length > 0) resolve(come.shift());
      else waiting = resolve;
    });
}

/** A text is what is wrong with it. */
function approvalIn(line: string): Approval | string {
  const [, verb = '', rest = ''] = /^([^\s,.!]*)[,.!]?\s*(.*)$/.exec(line) ?? [];
  switch (verb.toLowerCase()) {
    case 'y':
    case 'yes':
      // "yes, but not sea" is no yes to this plan.
      return rest === '' ? { approve: true } : `"${verb.toLowerCase()}" takes nothing after it. Edit the plan first.`;
    case 'n':
    case 'no':
      return { reject: rest };
    case 'skip':
    case 'activate': {
      const names = rest
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
      const edit: PlanEdit = verb.toLowerCase() === 'skip' ? { skip: names } : { activate: names };
      return names.length === 0 ? `Whom? Write "${verb} NAME".` : { edit };
    }
    case 'ask': {
      const [, name = '', question = ''] = /^([^:]+):\s*(.+)$/.exec(rest) ?? [];
      return name === ''
        ? 'Whom, and what? Write "ask NAME: QUESTION".'
        : { edit: { questions: { [name.trim()]: question } } };
    }
    default:
      return `"${escapeTerminal(line)}" is none of these. Write one of: ${HOW}.`;
  }
}
