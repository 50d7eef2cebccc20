/** Writes what the next attempt should know, from how this one failed and what the ones before had been told. */
import type { LeafSpec } from '../define/spec.ts';
import { enrichmentFor } from '../tier/recovery.ts';
import { DATA_RULE, dataBlock, untagged, visible } from '../protocol/data-block.ts';

const LONGEST = 1_200;
const MAX_TOKENS = 1_024;

const SYSTEM = `An analyst's attempt at a task has failed. Write what the next attempt should know that this one did not: the likely
cause, and what to do otherwise, in at most 120 words. Speak to the analyst. Change neither the question, nor what may be
read or called, nor what counts as critical. Do not repeat advice that was given before and did not help.

${DATA_RULE}`;

/**
 * The fault, as it is, and a model's diagnosis of it. Where no model answers, what the kind of fault asks for. Never the
 * same for two faults that differ, since the fault itself stands at its beginning.
 */
// What earlier attempts had been told the model hears from whoever carries the question.
export const enrichmentByModel: NonNullable<LeafSpec['recover']> = async (fault, { task, model }) => {
  const plain = enrichmentFor(fault);
  if (!model.isAvailable || fault.status === 'budget') return plain;
  const { status, message, diagnosis = 'unknown' } = fault;
  const prompt = [
    `<task>\nquestion: ${untagged(task.question)}\n</task>`,
    dataBlock('how it failed', `status: ${status}\ndiagnosis: ${diagnosis}\n${message}`),
  ].join('\n');
  try {
    const { text } = await model.ask({ system: SYSTEM, prompt, maxTokens: MAX_TOKENS });
    const advice = visible(text).trim().slice(0, LONGEST).toWellFormed();
    return advice === '' ? plain : `${plain}\n${advice}`;
  } catch {
    return plain;
  }
};
