/** What an obliging model answers to a planner's, an agent's and a synthesizer's question: made of what it was told. */
import type { Block, Body, Reply } from './messages-server.ts';

const textOf = (body: Body): string =>
  body.messages
    .flatMap(({ content }) => content)
    .map((block) =>
      typeof block['text'] === 'string' ? block['text'] : typeof block['content'] === 'string' ? block['content'] : '',
    )
    .join('\n');
const systemOf = (body: Body): string => (body.system ?? []).map(({ text }) => text).join('\n');
const json = (value: unknown): Reply => ({ content: JSON.stringify(value) });

export type Role = 'planner' | 'synthesizer' | 'agent' | 'other';
export function roleOf(body: Body): Role {
  const system = systemOf(body);
  if (system.includes('You plan an inquiry')) return 'planner';
  if (system.includes('You write the synthesis')) return 'synthesizer';
  return system.includes('You are one analyst') ? 'agent' : 'other';
}

/** Skips what is named in `skip`; every finding's stance follows from its question, so that two runs agree. */
export function obligingReply(body: Body, skip: readonly string[] = []): Reply {
  const prompt = textOf(body);
  switch (roleOf(body)) {
    case 'planner': {
      const names = Array.from(prompt.matchAll(/^- (\S+) \(/gm), ([, name = '']) => name);
      return json({
        activate: names.filter((name) => !skip.includes(name)).map((name) => ({ name, why: `${name} bears on it` })),
        skip: names.filter((name) => skip.includes(name)).map((name) => ({ name, why: `${name} says little of it` })),
        contradictions: ['Growth and price may disagree.'],
      });
    }
    case 'synthesizer': {
      const ids = [...new Set(Array.from(prompt.matchAll(/^\[([^\]]+#[^\]]+)\]/gm), ([, id = '']) => id))];
      return json({
        narrative: ids.length === 0 ? 'Nothing was found.' : `What stands out is in [${ids[0]}].`,
        dispositions: ids.map((id) => ({ id, as: 'kept' })),
        merges: [],
        derived: [],
        conflicts: [],
        relations: [],
        lacking: [],
      });
    }
    case 'agent':
      return agentReply(body, prompt);
    case 'other':
      return { content: 'Mind the shape.' };
  }
}

function agentReply(body: Body, prompt: string): Reply {
  const series = /^series you may read: (.*)$/m.exec(prompt)?.[1]?.split(', ') ?? [];
  const unread = series.find((id) => !prompt.includes(`<data origin="${id}">`));
  if (unread !== undefined && body.tools?.some(({ name }) => name === 'read_series')) {
    return {
      content: [{ type: 'tool_use', id: `toolu_${body.messages.length}`, name: 'read_series', input: { id: unread } }],
    };
  }
  const isSearch = body.tools?.some(({ name }) => name === 'web_search') === true;
  const page = 'https://statistics.example/latest';
  if (isSearch) {
    const cited = {
      type: 'web_search_result_location',
      url: page,
      title: 'Latest',
      cited_text: 'It rose by 2 %',
      encrypted_index: 'x',
    };
    const block: Block = { type: 'text', text: 'It rose by 2 %.', citations: [cited] };
    return { content: [block], usage: { server_tool_use: { web_search_requests: 1 } } };
  }
  const question = /^question: (.*)$/m.exec(prompt)?.[1] ?? '';
  const sources = series.length > 0 ? series : [page];
  const stance = question.length % 2 === 0 ? 0.4 : -0.4;
  const finding = {
    key: 'main',
    statement: `Asked: ${question}`,
    value: 2,
    unit: '%',
    stance,
    confidence: 0.7,
    sources,
  };
  return json({ findings: [finding], lacking: [] });
}
