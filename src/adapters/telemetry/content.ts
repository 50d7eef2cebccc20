/**
 * What was asked and found, as attributes: the GenAI conventions' messages, and our own where they have no name.
 *  1. Nobody but this file turns content into attributes, and it is asked only where content is captured.
 */
import type { Attributes } from '@opentelemetry/api';
import type { Fault } from '../../protocol/fault.ts';
import type { Finding } from '../../protocol/finding.ts';
import type { Outcome } from '../../protocol/report.ts';
import { CONTENT } from './names.ts';

/** Of a run or a node: what it was asked. */
export const asked = (question: string, charter = ''): Attributes => ({
  [CONTENT.input]: messages('user', question),
  ...(charter !== '' && { [CONTENT.instructions]: JSON.stringify([{ type: 'text', content: charter }]) }),
});

/** Of a node: its narrative and its findings, or why it failed. */
export function answered(outcome: Outcome): Attributes {
  const body = outcome.kind === 'report' ? outcome : outcome.partial;
  const texts = [body?.narrative ?? '', ...(body?.findings ?? []).map(spoken)].filter((text) => text !== '');
  return {
    ...(texts.length > 0 && { [CONTENT.output]: messages('assistant', ...texts) }),
    ...(outcome.kind === 'failure' && { [CONTENT.message]: outcome.message }),
  };
}

export const found = ({ statement, value, unit, critical }: Finding): Attributes => ({
  [CONTENT.statement]: statement,
  ...(value !== undefined && { [CONTENT.value]: value }),
  ...(unit !== undefined && { [CONTENT.unit]: unit }),
  ...(critical && { [CONTENT.rule]: critical.rule, [CONTENT.reason]: critical.reason }),
});

export const failed = ({ message }: Pick<Fault, 'message'>): Attributes => ({ [CONTENT.message]: message });
export const enriched = (enrichment: string): Attributes => ({ [CONTENT.enrichment]: enrichment });

const spoken = ({ statement, value, unit }: Finding): string =>
  value === undefined ? statement : `${statement} (${value}${unit === undefined ? '' : ` ${unit}`})`;

const messages = (role: 'user' | 'assistant', ...texts: string[]): string =>
  JSON.stringify([
    {
      role,
      parts: texts.map((content) => ({ type: 'text', content })),
      ...(role === 'assistant' && { finish_reason: 'stop' }),
    },
  ]);
