/** A leaf whose work a model does, by a definition in Markdown. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { cwd } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import type { Asks } from '../define/asks.ts';
import { OBJECT, shown } from '../define/check.ts';
import { defineLeaf } from '../define/define-leaf.ts';
import { isVendorTool } from '../define/tools.ts';
import type { DraftOf, Leaf, LeafContext, LeafSpec } from '../define/spec.ts';
import { EspalierError } from '../errors.ts';
import type { Verdict } from '../ports/activities.ts';
import type { Finding, FindingDraft } from '../protocol/finding.ts';
import type { GapDraft } from '../protocol/gap.ts';
import { errorOf } from '../tier/fault.ts';
import { answerSchema, readFindings, UNSOURCED, type AgentAnswer } from './agent-answer.ts';
import { parseAgent, type AgentDefinition } from './agent-definition.ts';
import { promptOf, searchedPrompt, STANDING_RULES, systemOf } from './agent-prompt.ts';
import { serverToolsOf, toolsOf } from './agent-tools.ts';
import { gatherEvidence, type Evidence } from './evidence.ts';
import { enrichmentByModel } from './recovery.ts';

/** Where a definition is: a file, or a text with a name for messages. */
export type AgentSource = URL | string | { readonly text: string; readonly where?: string };
/** What is its domain's business, and not the agent's own. `data` is the shape of each finding's `data`. */
export type AgentOptions<Data> = Pick<
  LeafSpec<Data>,
  | 'aliases'
  | 'asks'
  | 'attempts'
  | 'data'
  | 'estimate'
  | 'needs'
  | 'pools'
  | 'question'
  | 'recover'
  | 'verify'
  | 'weight'
>;

/**
 * Makes a leaf of an agent's definition in Markdown.
 * @throws EspalierError `invalid-definition`: one line that says what is wrong, where, and what to do
 * @example
 * const jobs = defineAgent(new URL('./agents/jobs.md', import.meta.url), { data: z.object({ people: z.int() }) });
 */
export function defineAgent<Data = FindingDraft['data']>(
  source: AgentSource,
  options: AgentOptions<Data> = {},
): Leaf<Data> {
  const { text, where } = read(source);
  const definition = parseAgent(text, where);
  const { name, description, work, question, sources, tools } = definition;
  const asks = asksOf(definition);
  return defineLeaf<Data>({
    ...(question !== undefined && { question }),
    asks,
    estimate: estimateOf(asks),
    ...(Object.keys(definition.done).length > 0 && {
      verify: (findings: readonly Finding[]) => verdictOf(definition, findings),
    }),
    recover: enrichmentByModel,
    // Nobody knows what a tool does to the world: no second execution beside the first.
    ...(tools.some((tool) => !isVendorTool(tool)) && { idempotent: false }),
    ...options,
    name,
    description,
    work,
    sources,
    tools,
    instructions: text,
    run: (context) => answer<Data>(definition, options.data, context),
  });
}

const SEARCHES = 5;
const CALL_MS = 20_000;
const SEARCH_MS = 10_000;
/** What a plan counts with: a round for what it reads or calls, one more to answer. */
function asksOf({ sources, tools, limits }: AgentDefinition): Asks & { calls: number } {
  const hasSearch = tools.includes('web_search');
  const isReading = sources.length > 0 || tools.length > 0;
  return {
    calls: 1 + (isReading ? 1 : 0) + (hasSearch ? 1 : 0),
    ...(hasSearch && { webSearches: limits['web_search']?.uses ?? SEARCHES }),
  };
}
/** Until two runs have measured it. */
const estimateOf = ({ calls, webSearches = 0 }: ReturnType<typeof asksOf>): number =>
  calls * CALL_MS + webSearches * SEARCH_MS;

/** What an agent does with its task: it asks, with what it may read and call, and believes what holds. */
async function answer<Data>(
  definition: AgentDefinition,
  data: z.ZodType<Data> | undefined,
  context: LeafContext,
): Promise<(DraftOf<Data> | GapDraft)[]> {
  const evidence = gatherEvidence();
  evidence.reports(context.task.prior);
  const answered = await ask(definition, answerSchema(data, definition.output), context, evidence);
  const said = await readFindings<Data>(answered, { definition, evidence, context });
  if (said.length > 0) return said;
  throw errorOf({ status: 'silent', message: 'answered with neither a finding nor what it lacks' });
}

/**
 * An agent that searches is asked twice, for answers that cite their pages are prose: once for its notes, and once for
 * findings made of them.
 */
async function ask(
  definition: AgentDefinition,
  output: z.ZodType<AgentAnswer>,
  context: LeafContext,
  evidence: Evidence,
): Promise<AgentAnswer> {
  const { model } = context;
  const tools = await toolsOf(definition, context, evidence);
  const serverTools = serverToolsOf(definition);
  const question = { shared: STANDING_RULES, system: systemOf(definition), prompt: promptOf(definition, context) };
  if (serverTools.length === 0) return (await model.ask({ ...question, tools, output })).value;
  const { text, citations } = await model.ask({ ...question, tools, serverTools });
  evidence.citations(citations);
  const { value } = await model.ask({ ...question, prompt: searchedPrompt(question.prompt, text, citations), output });
  return value;
}

/** Its definition of done, as far as code can tell. A leaf that found nothing, and says what it lacks, has nothing to verify. */
function verdictOf(
  { done: { findings: least = 1, sourced = false, valued = false } }: AgentDefinition,
  findings: readonly Finding[],
): Verdict {
  if (findings.length < least) return { ok: false, why: `${findings.length} findings, and it takes ${least}` };
  const unsourced = sourced && findings.find(({ flags }) => flags.includes(UNSOURCED));
  if (unsourced) return { ok: false, why: `"${unsourced.statement}" names no source that was read` };
  const bare = valued && findings.find(({ value }) => value === undefined);
  return bare ? { ok: false, why: `"${bare.statement}" has no value` } : { ok: true };
}

function read(source: unknown): { text: string; where: string } {
  if (OBJECT.isMet(source) && !(source instanceof URL)) {
    const { text, where = 'definition' } = source as { text?: unknown; where?: string };
    if (typeof text === 'string') return { text, where };
  }
  if (!(source instanceof URL) && typeof source !== 'string') {
    throw invalid(`defineAgent was given ${shown(source)}. Give the path or URL of a Markdown file, or { text }.`);
  }
  const file = source instanceof URL ? fileURLToPath(source) : source;
  const where = relative(cwd(), file);
  try {
    return { text: readFileSync(file, 'utf8'), where };
  } catch (cause) {
    throw invalid(`Agent ${where} cannot be read. Give the path of its Markdown file.`, cause);
  }
}

const invalid = (message: string, cause?: unknown): EspalierError =>
  new EspalierError('invalid-definition', message, { cause });
