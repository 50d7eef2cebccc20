/**
 * A node's way to a model: asks, runs the tools that it calls, reads what it answers.
 *  1. Only tools that the question names are run. What a tool throws is told to the model, and so is a call of another.
 *  2. There are at most `maxTurns` calls; the last one is told that it is the last.
 *  3. What is to be tried again is tried by whoever can wait: an attempt's first call by its host, which frees the slot;
 *     a later one, whose turns are paid for, and an orchestrator's here, no longer than the step may take.
 */
import type { z } from 'zod';
import type { Models } from '../define/models.ts';
import type { ModelWork } from '../ports/model.ts';
import { EspalierError } from '../errors.ts';
import type { AttemptIo, Io } from '../ports/activities.ts';
import type { Model, ModelQuestion, ModelReply, ModelTool } from '../ports/asking.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  Citation,
  ModelAnswer,
  ModelMessage,
  ModelRequest,
  SystemPart,
  ToolCall,
  ToolResult,
} from '../ports/model.ts';
import { MODEL_POOL, type Slots } from '../ports/slots.ts';
import { dataBlock } from '../protocol/data-block.ts';
import { readAnswer } from '../tier/answer.ts';
import { backOffMs, outlasting } from '../tier/back-off.ts';
import { errorOf, faultOf } from '../tier/fault.ts';
import { addModelUsage, NO_USAGE } from '../tier/model-cost.ts';
import { callModel } from './call-model.ts';
import { unlessAborted } from './place.ts';
import { sleepOn } from './sleep.ts';

/** What a run's models are asked through. */
export type Asking = {
  readonly models: Models;
  readonly slots: Slots | undefined;
  readonly clock: Clock | undefined;
  /** 0 … 1, for back-offs. */
  readonly random: () => number;
};
/** Who asks, and for which work. */
export type Asker = {
  readonly path: string;
  readonly work: ModelWork;
  readonly io: Io & Partial<Pick<AttemptIo, 'alert'>>;
  /** The pools that its own slot is in. */
  readonly pools: readonly string[];
  /** Set of an attempt: its host tries it again. */
  readonly isAttempt: boolean;
  /** Epoch ms; what cannot be asked again before is not waited for. */
  readonly deadline: number;
  /** What earlier failures taught: the model is told so. */
  readonly lessons: readonly string[];
};

type Question = ModelQuestion & { readonly output?: z.ZodType };

const MOST_TURNS = 12;
const MOST_REFUSALS = 8;
const MOST_LAPSES = 2;
const LONGEST_RESULT = 100_000;

/** `asking`: undefined in a run without models. */
export function modelFor(asking: Asking | undefined, asker: Asker): Model {
  if (!asking) return { isAvailable: false, ask: () => Promise.reject(withoutModels(asker.path)) };
  function ask<Value>(question: ModelQuestion & { readonly output: z.ZodType<Value> }): Promise<ModelReply<Value>>;
  function ask(question: ModelQuestion): Promise<ModelReply<string>>;
  async function ask(question: Question): Promise<ModelReply<unknown>> {
    return converse(question, asking as Asking, asker);
  }
  return { isAvailable: true, ask };
}

async function converse(question: Question, asking: Asking, asker: Asker): Promise<ModelReply<unknown>> {
  const chosen = asking.models.choiceFor(asker.work);
  const { tools = [], maxTurns = MOST_TURNS, output } = question;
  const messages: ModelMessage[] = [{ role: 'user', text: promptOf(question, asker) }];
  const request: ModelRequest = {
    model: chosen.model,
    ...(chosen.effort !== undefined && { effort: chosen.effort }),
    maxTokens: question.maxTokens ?? chosen.maxTokens,
    system: systemOf(question),
    messages,
    tools: tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
    serverTools: question.serverTools ?? [],
    ...(output && { output }),
  };
  let usage = NO_USAGE;
  let usd = 0;
  let text = '';
  const citations: Citation[] = [];
  for (let turn = 1; turn <= maxTurns; turn++) {
    const answer = await called(request, turn, asking, asker);
    usage = addModelUsage(usage, answer.usage);
    usd += answer.usd;
    citations.push(...answer.citations);
    switch (answer.outcome) {
      case 'ended':
        text += answer.text;
        return {
          value: output ? valueOf(text, output) : text,
          text,
          citations,
          usage,
          usd,
          model: chosen.model,
          turns: turn,
        };
      case 'paused':
        text += answer.text;
        messages.push({ role: 'assistant', content: answer.content });
        break;
      case 'tool-calls': {
        text = ''; // what is said besides a call is no answer yet
        const results = await runTools(answer.calls, tools, asker, turn + 1 === maxTurns);
        messages.push({ role: 'assistant', content: answer.content }, { role: 'tools', results });
        break;
      }
      default:
        throw faultIn(answer, request);
    }
  }
  throw errorOf({
    status: 'invalid',
    message: `the model called tools, or paused, ${maxTurns} times without an answer`,
    diagnosis: 'off-track',
  });
}

function faultIn(answer: ModelAnswer & { outcome: 'refusal' | 'truncated' }, { maxTokens }: ModelRequest): Error {
  if (answer.outcome === 'refusal') {
    return errorOf({ status: 'refused', message: `the model refused: ${answer.why}` });
  }
  const message = `the model's answer was cut off (${answer.why}, at most ${maxTokens} tokens)`;
  return errorOf({ status: 'invalid', message, diagnosis: 'out-of-context' });
}

function valueOf(text: string, output: z.ZodType): unknown {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw wrongShape(text.trim() === '' ? 'it is empty' : 'it is no JSON');
  }
  const read = readAnswer(output, given);
  if ('value' in read) return read.value;
  throw wrongShape(read.why);
}
const wrongShape = (why: string): Error =>
  errorOf({
    status: 'invalid',
    message: `the model's answer has the wrong shape: ${why}`,
    diagnosis: 'invalid-output',
  });

async function called(request: ModelRequest, turn: number, asking: Asking, asker: Asker): ReturnType<typeof callModel> {
  const { models, slots, clock, random } = asking;
  const { io, isAttempt, pools } = asker;
  const chosen = models.choiceFor(asker.work);
  // Of whichever class: whoever holds one place must not wait for another.
  const isCovered = pools.some((pool) => pool.startsWith(MODEL_POOL));
  const before = { 'rate-limited': 0, transient: 0 };
  for (;;) {
    try {
      return await callModel(request, { models, slots, chosen, io, isCovered });
    } catch (error) {
      const { diagnosis, ...fault } = faultOf(error);
      if (!clock || fault.isFinal || io.abortSignal.aborted || (isAttempt && turn === 1)) throw error;
      if (diagnosis !== 'rate-limited' && diagnosis !== 'transient') throw error;
      if (outlasting(fault, asker.deadline - clock.now())) throw error;
      if (before[diagnosis] === (diagnosis === 'transient' ? MOST_LAPSES : MOST_REFUSALS)) throw error;
      if (isCovered) slots?.hear(chosen.pool, { ...fault, diagnosis }); // its slot is kept, and cannot tell
      await sleepOn(clock, backOffMs(before[diagnosis]++, fault, random()), io.abortSignal);
    }
  }
}

const LAST_TURN = 'This was the last call of a tool: answer now with what you have.';

function runTools(
  calls: readonly ToolCall[],
  tools: readonly ModelTool[],
  { path, io }: Asker,
  isLast: boolean,
): Promise<ToolResult[]> {
  const { abortSignal, alert } = io;
  const runOne = async ({ id, name, input }: ToolCall): Promise<ToolResult> => {
    const tool = tools.find((one) => one.name === name);
    if (!tool) {
      alert?.('tool', `the model of ${path} called the tool "${name}", which it was not given: refused`);
      return { id, text: `There is no tool "${name}".`, isError: true };
    }
    try {
      const given: unknown = await unlessAborted((async () => tool.run(input, { abortSignal }))(), abortSignal);
      return { id, text: resultText(given) };
    } catch (error) {
      abortSignal.throwIfAborted();
      return { id, text: cut(faultOf(error).message), isError: true };
    }
  };
  const told = (result: ToolResult): ToolResult =>
    isLast ? { ...result, text: `${result.text}\n\n${LAST_TURN}` } : result;
  return Promise.all(calls.map(async (call) => told(await runOne(call))));
}

const resultText = (given: unknown): string =>
  cut(typeof given === 'string' ? given : given === undefined ? 'done' : JSON.stringify(given));
const cut = (text: string): string =>
  text.length <= LONGEST_RESULT
    ? text
    : `${text.slice(0, LONGEST_RESULT).toWellFormed()}\n[cut: ${text.length - LONGEST_RESULT} characters more]`;

function systemOf({ shared, system = [] }: ModelQuestion): SystemPart[] {
  const own = typeof system === 'string' ? [{ text: system }] : system;
  return [...(shared === undefined ? [] : [{ text: shared, isShared: true as const }]), ...own];
}

function promptOf({ prompt }: ModelQuestion, { lessons }: Asker): string {
  if (lessons.length === 0) return prompt;
  // Partly in the words of what failed, which may be anybody's.
  const taught = lessons.map((lesson, i) => dataBlock(`lesson ${i + 1}`, lesson));
  return [prompt, 'Earlier attempts at this failed. Mind what they taught:', ...taught].join('\n\n');
}

const withoutModels = (path: string): EspalierError =>
  new EspalierError(
    'no-model',
    `${path} asks a model, and the run has none. Give the scenario models: { adapter: anthropic({ apiKey }) }.`,
  );
