/**
 * An agent as it is written down: Markdown, with a head in YAML. The body is the system prompt.
 *  1. What the head does not know is refused, so that a misspelt key does not pass in silence.
 *  2. It names no model: which one serves a kind of work is the scenario's business.
 *  3. It names no other agent: who needs whom is its domain's business, and given in code.
 */
import { LineCounter, parseDocument, YAMLError, type Document } from 'yaml';
import { z } from 'zod';
import { EspalierError } from '../errors.ts';
import { misfitOf } from '../protocol/misfit.ts';
import { NodeName } from '../protocol/path.ts';

const Text = z.string().trim().min(1);
const WebSearch = z.strictObject({
  uses: z.int().min(1).max(50).optional(),
  domains: z.array(Text).min(1).optional(),
  'blocked-domains': z.array(Text).min(1).optional(),
});
const WebFetch = WebSearch.extend({
  /** Of each page. */
  tokens: z.int().min(1_000).max(200_000).optional(),
});
const bothDomains = ({ domains, 'blocked-domains': blocked }: WebLimits): boolean =>
  domains === undefined || blocked === undefined;
const ONE_OF_BOTH = 'give domains or blocked-domains, not both';
/** `files/read_file`, `web_search`, or `web_search: { uses: 3, domains: [sec.gov] }`. */
const ToolEntry = z.union(
  [
    Text,
    z.strictObject({ web_search: WebSearch.refine(bothDomains, ONE_OF_BOTH) }),
    z.strictObject({ web_fetch: WebFetch.refine(bothDomains, ONE_OF_BOTH) }),
  ],
  'write "server", "server/tool", web_search or web_fetch, or one of the last two with its limits',
);
/**
 * What makes a finding of this agent critical. With a `series` the code looks for itself whether its last value is
 * `above` or `below`. Without, it takes two sources that do not come from one place: no single text can make itself so.
 */
const CriticalRule = z
  .strictObject({
    rule: z.string().regex(/^[\w.-]{1,64}$/, 'letters, digits, "_", "." and "-"'),
    when: Text,
    series: Text.optional(),
    above: z.number().optional(),
    below: z.number().optional(),
  })
  .refine(({ above, below }) => above === undefined || below === undefined, 'give above or below, not both')
  .refine(
    ({ series, above, below }) => (series === undefined) === (above === undefined && below === undefined),
    'series goes with above or below: give both, or neither',
  );

/** When it is done, as far as code can tell. */
const Done = z.strictObject({
  /** At least so many. Default 1, unless it says what it lacks. */
  findings: z.int().min(1).max(100).optional(),
  /** Each names a source that it has read. */
  sourced: z.boolean().optional(),
  /** Each has a value. */
  valued: z.boolean().optional(),
});

const Head = z.strictObject({
  name: NodeName,
  description: Text,
  work: z.enum(['extraction', 'rules', 'structured', 'authoring']),
  question: Text.optional(),
  sources: z.array(Text).default([]),
  tools: z.array(ToolEntry).default([]),
  output: z.enum(['findings', 'finding']).default('findings'),
  critical: z.array(CriticalRule).default([]),
  success: z.array(Text).default([]),
  failure: z.array(Text).default([]),
  done: Done.default({}),
});

export type CriticalRule = z.output<typeof CriticalRule>;
export type WebLimits = z.output<typeof WebFetch>;
export type AgentDefinition = Omit<z.output<typeof Head>, 'tools'> & {
  /** Names of tools, as a leaf declares them. */
  readonly tools: readonly string[];
  readonly limits: Readonly<Record<string, WebLimits>>;
  /** The body. */
  readonly instructions: string;
  /** All of it as written. */
  readonly text: string;
};

const FENCE = /^---[ \t]*\r?\n([\s\S]*?)^---[ \t]*(?:\r?\n|$)([\s\S]*)$/m;
const NOT_HERE: Readonly<Record<string, string>> = {
  model: 'The scenario\'s policy chooses it by "work". Remove it.',
  effort: 'The scenario\'s policy chooses it by "work". Remove it.',
  needs: "Who needs whom is the domain's business. Give it in code: defineAgent(file, { needs: […] }).",
};

/**
 * Reads a definition. `where` names it in what goes wrong.
 * @throws EspalierError `invalid-definition`: one line that says what is wrong, where, and what to do
 */
export function parseAgent(text: string, where: string): AgentDefinition {
  const fail = (what: string, line?: number): never => {
    throw new EspalierError('invalid-definition', `Agent ${where}${line === undefined ? '' : `:${line}`}: ${what}`);
  };
  const plain = text.replace(/^\uFEFF/, ''); // some editors begin a file so, and nobody sees it
  const [whole, yaml, body] = plain.startsWith('---') ? (FENCE.exec(plain) ?? []) : [];
  if (whole === undefined || yaml === undefined || body === undefined || !plain.startsWith(whole)) {
    return fail(
      'it has no head. Begin it with a line "---", then name: and description: and work:, then a line "---".',
      1,
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line + 1; // the fence stands before
  const [broken] = document.errors;
  if (broken) return fail(`its head is no YAML: ${firstSentence(broken)}. Correct it.`, lineAt(broken.pos[0]));
  const given = headOf(document, fail);
  for (const [key, remedy] of Object.entries(NOT_HERE)) {
    if (key in given) fail(`"${key}" does not belong here. ${remedy}`, lineOf(document, [key], lineAt));
  }
  const { data: head, error } = Head.safeParse(given);
  if (!head) {
    const [issue] = error.issues;
    const path = issue?.path ?? [];
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const at = lineOf(document, unknown === undefined ? path : [...path, unknown], lineAt);
    if (unknown !== undefined && path.length === 0) {
      return fail(
        `it has "${unknown}", which is none of ${Object.keys(Head.shape).join(', ')}. Correct or remove it.`,
        at,
      );
    }
    return fail(`${misfitOf(error, given)}. Correct it.`, at);
  }
  const instructions = body.trim();
  if (instructions === '') fail('it has no body. Write below its head what it is to do: that is its system prompt.');
  const unread = head.critical.find(({ series }) => series !== undefined && !head.sources.includes(series));
  if (unread) {
    fail(
      `the critical rule "${unread.rule}" looks at the series "${unread.series}", which is not in sources. Add it.`,
      lineOf(document, ['critical'], lineAt),
    );
  }
  const tools = head.tools.map((tool) => (typeof tool === 'string' ? tool : (Object.keys(tool)[0] ?? '')));
  const lists = { sources: head.sources, tools, critical: head.critical.map(({ rule }) => rule) };
  for (const [key, names] of Object.entries(lists)) {
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
      fail(`${key} has "${twice}" twice. Leave one out.`, lineOf(document, [key, names.lastIndexOf(twice)], lineAt));
  }
  const limits = Object.assign(
    {},
    ...head.tools.filter((tool) => typeof tool !== 'string'),
  ) as AgentDefinition['limits'];
  return { ...head, tools, limits, instructions, text };
}

function headOf(document: Document, fail: (what: string, line?: number) => never): object {
  let given: unknown;
  try {
    given = document.toJS({ maxAliasCount: 0 });
  } catch {
    return fail('its head uses aliases of YAML. Write things out.', 1);
  }
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given;
  return fail('its head holds no keys. Give name:, description: and work:.', 1);
}

/** Where the innermost thing stands that the document has on this path. */
function lineOf(document: Document, path: readonly PropertyKey[], lineAt: (offset: number) => number): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
    if (Array.isArray(range) && typeof range[0] === 'number') return lineAt(range[0]);
  }
  return 1;
}

const firstSentence = ({ message }: YAMLError): string => message.split('\n', 1)[0]?.replace(/[.:]?$/, '') ?? '';
