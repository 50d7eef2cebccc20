/**
 * What an agent's model is told. The system prompt is the definition's own, with what holds for every agent: nothing
 * that a source, a page, a tool or another node said. Those stand in the prompt, in blocks of data.
 */
import type { LeafContext } from '../define/spec.ts';
import type { Citation } from '../ports/model.ts';
import type { Report } from '../protocol/report.ts';
import type { AgentDefinition } from './agent-definition.ts';
import { DATA_RULE, dataBlock, untagged, visibleLine } from '../protocol/data-block.ts';

/** The same for all agents, so that siblings share it. */
export const STANDING_RULES = `You are one analyst in a larger inquiry. You answer one scoped question, and nothing else.

${DATA_RULE}

Answer with findings. Each is one statement that a reader can check, with the number behind it where there is one, its
stance on the thesis or question (-1 against, 0 neutral, 1 for), how far that can be relied on (0 to 1), and the origins
of what you read, exactly as the data blocks name them, or the URLs of pages. A finding whose source you have not read
counts as unsourced. Never invent a number. What you could not find out belongs into "lacking": an honest gap is worth
more than a guess.`;

export function systemOf({ instructions, critical, success, failure }: AgentDefinition): string {
  return [
    instructions,
    listed('It is done well when:', success),
    listed('It has failed when:', failure),
    critical.length === 0
      ? 'No finding of yours is critical.'
      : listed(
          'A finding is critical only by one of these rules. Name it exactly:',
          critical.map(
            ({ rule, when, series }) =>
              `${rule}: ${when}${series === undefined ? ' (two sources of different places must bear it out)' : ` (by the series ${series})`}`,
          ),
        ),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

export function promptOf({ sources, tools }: AgentDefinition, { task }: Pick<LeafContext, 'task'>): string {
  const { question, charter, asOf, prior } = task;
  return [
    `<task>\nquestion: ${untagged(question)}`,
    ...(charter === '' ? [] : [`domain: ${untagged(charter)}`]),
    `as of: ${asOf ?? 'today'}`,
    ...(sources.length === 0 ? [] : [`series you may read: ${sources.join(', ')}`]),
    ...(tools.length === 0 ? [] : [`tools you may use: ${tools.join(', ')}`]),
    '</task>',
    ...prior.map((report) => dataBlock(`report of ${report.path}`, reportText(report))),
  ].join('\n');
}

/** The findings of a report, by id: what a later node may cite. */
export const reportText = ({ findings, gaps }: Pick<Report, 'findings' | 'gaps'>): string =>
  [
    ...findings.map(
      ({ id, statement, stance, confidence, source }) =>
        `[${id}] ${visibleLine(statement)} (stance ${stance}, confidence ${confidence}, source ${visibleLine(source.ref)})`,
    ),
    ...gaps.map(({ path, kind, why }) => `gap at ${path} (${kind}): ${visibleLine(why)}`),
  ].join('\n');

/** The second question to an agent that has searched: what it wrote, and the pages it cites, as data. */
export const searchedPrompt = (prompt: string, text: string, citations: readonly Citation[]): string =>
  [
    prompt,
    'You have searched, and wrote the notes below. Answer from them.',
    dataBlock('your notes', text),
    ...[...Map.groupBy(citations, ({ url }) => url)].map(([url, cited]) =>
      dataBlock(url, cited.map(({ title, citedText }) => [title, citedText].filter(Boolean).join(': ')).join('\n')),
    ),
  ].join('\n');

const listed = (head: string, items: readonly string[]): string =>
  items.length === 0 ? '' : [head, ...items.map((item) => `- ${item}`)].join('\n');
