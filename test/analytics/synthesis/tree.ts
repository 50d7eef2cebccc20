/** Trees of outcomes as a join delivers them, by hand and at random. */
import fc from 'fast-check';
import { canonicalJson, seal } from '../../../src/protocol/digest.ts';
import type {
  Decision,
  Finding,
  Outcome,
  Report,
  Synthesis,
  Task,
  Tier,
  UnsealedReport,
} from '../../../src/protocol/index.ts';
import { childPath } from '../../../src/protocol/path.ts';

type Ended = { name: string; outcome: Outcome };
export type Gathered = { task: Task; decision: Decision; ended: Ended[] };

export const finding = (id: string, over: Partial<Finding> = {}): Finding => ({
  id,
  path: id.slice(0, id.lastIndexOf('#')),
  statement: `What ${id.slice(0, id.lastIndexOf('#'))} found`,
  stance: 0.5,
  confidence: 0.5,
  flags: [],
  source: { kind: 'test', ref: id },
  ...over,
});
export const critical = (id: string, over: Partial<Finding> = {}): Finding =>
  finding(id, { stance: -0.8, critical: { rule: 'drawdown', reason: 'deep' }, ...over });

const usage = { nodes: 1, leaves: 1, attempts: 1, inputTokens: 0, outputTokens: 0, usd: 0, depth: 1 };
const unsealed = (path: string, tier: Tier, over: Partial<UnsealedReport>): UnsealedReport => ({
  kind: 'report',
  schemaVersion: 1,
  runId: 'run',
  path,
  tier,
  depth: path.split('/').length - 1,
  question: '',
  status: 'complete',
  madeBy: 'leaf',
  narrative: '',
  findings: [],
  escalations: (over.findings ?? []).filter((one) => one.critical),
  conflicts: [],
  relations: [],
  gaps: [],
  dispositions: [],
  derived: [],
  artifacts: [],
  usage: { self: usage, subtree: usage },
  children: [],
  ...over,
});
const timing = { startedAt: 0, endedAt: 1 };
export const report = (path: string, tier: Tier, over: Partial<UnsealedReport>): Report => {
  const sealed = seal(unsealed(path, tier, over), timing);
  if (sealed.kind !== 'report') throw new Error('unreachable');
  return sealed;
};
export const leaf = (path: string, ...findings: Finding[]): Report => report(path, 'leaf', { findings });

export const token = (path: string, tier: Tier, partial?: Partial<UnsealedReport>): Outcome =>
  seal(
    {
      kind: 'failure',
      schemaVersion: 1,
      runId: 'run',
      path,
      tier,
      status: 'timeout',
      attempts: 1,
      message: 'too late',
      retryable: true,
      ...(partial && { partial: unsealed(path, tier, partial) }),
    },
    timing,
  );

/** What a node gathered from the children that ended, `silent` ones declared besides. */
export function gathered(path: string, outcomes: Outcome[], silent: string[] = []): Gathered {
  const ended = outcomes.map((outcome) => ({ name: outcome.path.slice(path.length + 1), outcome }));
  const children = [
    ...ended.map(({ name, outcome }) => ({ name, role: outcome.tier === 'leaf' ? 'leaf' : 'orchestrator' }) as const),
    ...silent.map((name) => ({ name, role: 'leaf' }) as const),
  ];
  return {
    task: {
      runId: 'run',
      path,
      tier: path === 'root' ? 'root' : 'domain',
      question: 'Hold it?',
      charter: '',
      asOf: '2008-06-01',
      grant: {
        depthLeft: 2,
        issuedAt: 0,
        deadline: 1000,
        reserveMs: 0,
        budget: {},
        maxChildren: 10,
        sources: [],
        tools: [],
      },
      prior: [],
      enrichments: [],
    },
    decision: {
      by: 'scenario',
      mode: 'divide',
      stages: [children],
      skipped: [{ name: 'unasked', why: 'not in this run' }],
      estimates: { leaves: children.length, criticalPathMs: 1 },
    },
    ended,
  };
}

export const incomingOf = ({ ended }: Gathered): Finding[] =>
  ended.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome : outcome.partial)?.findings ?? []);

/** The findings of a report over a synthesis, as a host keeps its books. */
export function keptFindings(node: Gathered, synthesis: Synthesis): Finding[] {
  const byId = new Map(incomingOf(node).map((one) => [one.id, one]));
  const kept = synthesis.dispositions.flatMap(({ id, as }) => (as === 'kept' ? (byId.get(id) ?? []) : []));
  const merged = synthesis.merges.flatMap(({ key, lead, statement }) => {
    const from = synthesis.dispositions.flatMap((one) => (one.as === 'merged' && one.into === key ? one.id : []));
    const leading = byId.get(lead);
    if (!leading) return [];
    return [{ ...leading, id: `${node.task.path}#${key}`, path: node.task.path, statement, from }];
  });
  return [...kept, ...merged];
}

export function orchestrator(node: Gathered, synthesis: Synthesis): Report {
  const findings = keptFindings(node, synthesis);
  return report(node.task.path, node.task.tier, {
    madeBy: 'deterministic',
    narrative: synthesis.narrative,
    findings,
    conflicts: synthesis.conflicts,
    ...(synthesis.assessment && { assessment: synthesis.assessment }),
  });
}

const number = fc
  .oneof(fc.integer({ min: -999, max: 99_999 }), fc.double({ noNaN: true, min: -1e7, max: 1e7 }))
  .map(String);
/** Prose full of what could be mistaken: signs, dates, brackets, hashes, percent signs. */
const prose = fc
  .array(
    fc.oneof(
      number,
      fc.string({ maxLength: 12 }),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
      fc.constantFrom(
        ' ',
        '-',
        '−',
        '%',
        '[',
        ']',
        '#',
        '.',
        ',',
        '2008-04-01',
        '2008-04',
        '1,234.5',
        'Q4',
        '[x#5]',
        '3m ',
      ),
    ),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((parts) => parts.join('') || 'nothing');

const unit = (min: number): fc.Arbitrary<number> =>
  fc.oneof(fc.double({ min, max: 1, noNaN: true }), fc.constantFrom(0, 0.1, 0.5, 1));
const body = fc.record(
  {
    statement: prose,
    value: fc.oneof(fc.constantFrom(0, 1, 2.5), fc.double({ noNaN: true, noDefaultInfinity: true })),
    measure: fc.constantFrom('growth', 'drawdown', 'spread'),
    stance: fc.oneof(unit(-1), fc.constantFrom(-1, -0.5, -0.1)),
    confidence: unit(0),
    flags: fc.constantFrom<string[]>([], [], [], ['context']),
    critical: fc.record({ rule: fc.constantFrom('sahm', 'drawdown'), reason: fc.constant('deep') }),
    source: fc.record({ kind: fc.constant('series'), ref: fc.constantFrom('a', 'b', 'c') }),
  },
  { requiredKeys: ['statement', 'stance', 'confidence', 'flags', 'source'] },
);

const key = fc.constantFrom('growth', '0', '2008-04', 'ohlc[0]', 'S&P 500');
const findingsUnder = (path: string): fc.Arbitrary<Finding[]> =>
  fc
    .uniqueArray(fc.tuple(key, body), { selector: ([one]) => one, maxLength: 4 })
    .map((drafts) => drafts.map(([one, draft]) => ({ id: `${path}#${one}`, path, ...draft })));

const leafOutcome = (path: string): fc.Arbitrary<Outcome> =>
  fc.tuple(findingsUnder(path), fc.integer({ min: 0, max: 9 })).map(([findings, luck]) => {
    if (luck === 0) return token(path, 'leaf');
    return luck === 1 ? token(path, 'leaf', { findings }) : leaf(path, ...findings);
  });

/** What a domain, or a root over leaves, gathered. */
export const leavesUnder = (path: string): fc.Arbitrary<Gathered> =>
  fc
    .integer({ min: 0, max: 7 })
    .chain((width) => fc.tuple(...Array.from({ length: width }, (_, i) => leafOutcome(childPath(path, `leaf ${i}`)))))
    .map((outcomes) => gathered(path, outcomes));

/** The same tree with its children in another order. */
export const shuffled = (node: Gathered): fc.Arbitrary<Gathered> =>
  fc.shuffledSubarray(node.ended, { minLength: node.ended.length }).map((ended) => ({ ...node, ended }));

export const json = canonicalJson;
