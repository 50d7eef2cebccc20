/** What the Messages API answers, in our words. */
import type Anthropic from '@anthropic-ai/sdk';
import type { Citation, ModelAnswer, ModelUsage, RateLimit, ToolCall } from '../../ports/model.ts';

/** Whatever the parts of a message are, the reader of a stranger's answer does not rely on them. */
export function answerOf(message: Anthropic.Message, limits: readonly RateLimit[] = []): ModelAnswer {
  const { content } = message;
  const common = {
    usage: usageOf(message.usage),
    text: content.flatMap((block) => (block.type === 'text' ? block.text : [])).join(''),
    citations: citationsIn(content),
    content,
    ...(limits.length > 0 && { limits }),
  };
  switch (message.stop_reason) {
    case 'tool_use':
      return { ...common, outcome: 'tool-calls', calls: callsIn(content) };
    case 'pause_turn':
      return { ...common, outcome: 'paused' };
    case 'refusal':
      return { ...common, outcome: 'refusal', why: reasonOf(message.stop_details) };
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return { ...common, outcome: 'truncated', why: message.stop_reason };
    default:
      return { ...common, outcome: 'ended' };
  }
}

function reasonOf(details: Anthropic.Message['stop_details'] | undefined): string {
  const { category, explanation } = details ?? {};
  return [category, explanation].filter((part) => typeof part === 'string').join(': ') || 'no reason given';
}

export const usageOf = (usage: Partial<Anthropic.Usage> | undefined): ModelUsage => ({
  inputTokens: usage?.input_tokens ?? 0,
  cacheReadTokens: usage?.cache_read_input_tokens ?? 0,
  cacheWriteTokens: usage?.cache_creation_input_tokens ?? 0,
  outputTokens: usage?.output_tokens ?? 0,
  webSearches: usage?.server_tool_use?.web_search_requests ?? 0,
});

const callsIn = (content: readonly Anthropic.ContentBlock[]): ToolCall[] =>
  content.flatMap((block) => (block.type === 'tool_use' ? { id: block.id, name: block.name, input: block.input } : []));

/** Each once, in the order of the text. A fetched page is cited by its number among the pages. */
function citationsIn(content: readonly Anthropic.ContentBlock[]): Citation[] {
  const pages = content.flatMap((block) =>
    block.type === 'web_fetch_tool_result' && block.content.type === 'web_fetch_result' ? block.content.url : [],
  );
  const found = new Map<string, Citation>();
  for (const block of content) {
    for (const cited of (block.type === 'text' && block.citations) || []) {
      const citation = citationOf(cited, pages);
      if (citation) found.set(JSON.stringify(citation), citation);
    }
  }
  return [...found.values()];
}

function citationOf(cited: Anthropic.TextCitation, pages: readonly string[]): Citation | undefined {
  const { cited_text: citedText } = cited;
  if (cited.type === 'web_search_result_location') {
    return { url: cited.url, ...(cited.title !== null && { title: cited.title }), citedText };
  }
  if (!('document_index' in cited)) return undefined;
  const url = pages[cited.document_index];
  if (url === undefined) return undefined;
  return { url, ...(cited.document_title !== null && { title: cited.document_title }), citedText };
}

const LIMITS = ['requests', 'tokens', 'input-tokens', 'output-tokens'] as const;

/** What the headers of an answer say is still allowed. */
export function limitsIn(headers: Pick<Headers, 'get'>): RateLimit[] {
  const now = dateIn(headers.get('date')) ?? Date.now();
  return LIMITS.flatMap((of): RateLimit[] => {
    const read = (what: string): string | null => headers.get(`anthropic-ratelimit-${of}-${what}`);
    const [limit, remaining] = [read('limit'), read('remaining')].map((text) => Number(text ?? Number.NaN));
    const reset = dateIn(read('reset'));
    if (limit === undefined || remaining === undefined || reset === undefined) return [];
    if (!(limit >= 0 && remaining >= 0)) return [];
    return [{ of, limit, remaining, resetMs: Math.max(0, reset - now) }];
  });
}

function dateIn(text: string | null): number | undefined {
  const at = Date.parse(text ?? '');
  return Number.isFinite(at) ? at : undefined;
}
