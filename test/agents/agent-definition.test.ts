/** Agents as they are written down: what is read, and what is refused, with its line. */
import { describe, expect, it } from 'vitest';
import { parseAgent } from '../../src/agents/agent-definition.ts';
import { EspalierError } from '../../src/errors.ts';

const HEAD = `name: jobs-analyst
description: Whether employment grows.
work: structured`;
const agent = (more = '', body = 'You examine employment.') => `---\n${HEAD}\n${more}---\n\n${body}\n`;

describe('a definition', () => {
  it('is read with what it declares, its body apart', () => {
    const text = agent(`question: Does employment grow?
sources: [us-employment/nonfarm]
tools:
  - files/read_file
  - web_search: { uses: 3, domains: [bls.gov] }
critical:
  - { rule: shrinking, when: employment has fallen, series: us-employment/nonfarm, below: 130000 }
  - rule: strike
    when: A strike stops an industry.
success: [It names the latest figure.]
failure: [It speaks of wages.]
done: { findings: 2, sourced: true }
`);
    expect(parseAgent(text, 'jobs.md')).toEqual({
      name: 'jobs-analyst',
      description: 'Whether employment grows.',
      work: 'structured',
      question: 'Does employment grow?',
      sources: ['us-employment/nonfarm'],
      tools: ['files/read_file', 'web_search'],
      limits: { web_search: { uses: 3, domains: ['bls.gov'] } },
      output: 'findings',
      critical: [
        { rule: 'shrinking', when: 'employment has fallen', series: 'us-employment/nonfarm', below: 130_000 },
        { rule: 'strike', when: 'A strike stops an industry.' },
      ],
      success: ['It names the latest figure.'],
      failure: ['It speaks of wages.'],
      done: { findings: 2, sourced: true },
      instructions: 'You examine employment.',
      text,
    });
  });

  it('may be written under Windows, and hold rules of its own in its body', () => {
    const body = 'First.\n\n---\n\nSecond.';
    const text = `\uFEFF${agent('', body).replaceAll('\n', '\r\n')}`;
    expect(parseAgent(text, 'jobs.md').instructions).toBe(body.replaceAll('\n', '\r\n'));
  });
});

describe('is refused', () => {
  it.each([
    ['no head', 'You examine.', 'Agent jobs.md:1: it has no head. Begin it with a line "---"'],
    ['a head without an end', `---\n${HEAD}\n`, 'Agent jobs.md:1: it has no head.'],
    ['a head that holds nothing', '---\n---\nbody', 'Agent jobs.md:1: its head holds no keys.'],
    [
      'broken YAML',
      agent('sources: [a\n'),
      /^Agent jobs\.md:[56]: its head is no YAML: Flow sequence in block collection .*\. Correct it\.$/,
    ],
    [
      'a key twice',
      agent('name: other\n'),
      /^Agent jobs\.md:5: its head is no YAML: Map keys must be unique\. Correct it\.$/,
    ],
    [
      'aliases',
      agent('sources: &a [x]\ntools: *a\n'),
      'Agent jobs.md:1: its head uses aliases of YAML. Write things out.',
    ],
    [
      'a model',
      agent('model: opus\n'),
      'Agent jobs.md:5: "model" does not belong here. The scenario\'s policy chooses it by "work". Remove it.',
    ],
    [
      'a need',
      agent('needs: [rates]\n'),
      'Agent jobs.md:5: "needs" does not belong here. Who needs whom is the domain\'s business.',
    ],
    [
      'a key that there is none of',
      agent('sorces: [a]\n'),
      'Agent jobs.md:5: it has "sorces", which is none of name, description, work,',
    ],
    ['no name', agent().replace(/name: .*\n/, ''), 'Agent jobs.md:1: name is missing; it must be a text. Correct it.'],
    [
      'a kind of work that there is none of',
      agent().replace('structured', 'thinking'),
      'Agent jobs.md:4: work is "thinking"; it must be one of extraction, rules, structured, authoring.',
    ],
    [
      'a bound without its series',
      agent('critical:\n  - { rule: a, when: b, above: 3 }\n'),
      'Agent jobs.md:6: critical.0: series goes with above or below: give both, or neither. Correct it.',
    ],
    [
      'both bounds',
      agent('critical:\n  - { rule: a, when: b, series: s, above: 3, below: 4 }\n'),
      'Agent jobs.md:6: critical.0: give above or below, not both. Correct it.',
    ],
    [
      'a rule over a series that it does not read',
      agent('critical:\n  - { rule: a, when: b, series: s, above: 3 }\n'),
      'the critical rule "a" looks at the series "s", which is not in sources. Add it.',
    ],
    ['no body', agent('', ' '), 'Agent jobs.md: it has no body. Write below its head what it is to do'],
    [
      'limits of the other tool',
      agent('tools:\n  - web_search: { tokens: 5000 }\n'),
      'Agent jobs.md:6: tools.0.web_search: Unrecognized key: "tokens". Correct it.',
    ],
    [
      'domains both allowed and blocked',
      agent('tools:\n  - web_fetch: { domains: [a.org], blocked-domains: [b.org] }\n'),
      'Agent jobs.md:6: tools.0.web_fetch: give domains or blocked-domains, not both. Correct it.',
    ],
    [
      'a tool that there is none of, with limits',
      agent('tools:\n  - web_searh: { uses: 2 }\n'),
      'Agent jobs.md:6: tools.0: write "server", "server/tool", web_search or web_fetch',
    ],
    [
      'a tool twice',
      agent('tools:\n  - web_search\n  - web_search: { uses: 2 }\n'),
      'Agent jobs.md:7: tools has "web_search" twice. Leave one out.',
    ],
    ['a source twice', agent('sources: [a, b, a]\n'), 'Agent jobs.md:5: sources has "a" twice. Leave one out.'],
    [
      'a rule twice',
      agent('critical:\n  - { rule: a, when: b }\n  - { rule: a, when: c }\n'),
      'Agent jobs.md:7: critical has "a" twice. Leave one out.',
    ],
    ['limits that are none', agent('tools:\n  - web_search: { uses: 0 }\n'), 'Agent jobs.md:6: '],
  ])('%s', (_, text, message) => {
    const call = () => parseAgent(text, 'jobs.md');
    expect(call).toThrow(message);
    expect(call).toThrow(EspalierError);
  });

  it('in one line', () => {
    const error = (() => {
      try {
        return parseAgent(agent('sources:\n\t- a\n'), 'jobs.md');
      } catch (caught) {
        return caught;
      }
    })();
    expect((error as Error).message).not.toContain('\n');
  });
});
