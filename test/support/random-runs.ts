/** Random trees with random behaviour and random faults, as scenarios that can be run. */
import fc from 'fast-check';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import type { Child, LeafRun, Scenario, Synthesizer } from '../../src/define/spec.ts';
import type { FindingDraft } from '../../src/protocol/finding.ts';
import { childPath, ROOT } from '../../src/protocol/path.ts';
import { incomingOf } from '../../src/tier/synthesis-check.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { never } from './world.ts';

export const DEADLINE = 60_000;
const DEEPEST = 4;
const WIDEST = 4;

type Saying = {
  isCritical: boolean;
  isLive: boolean;
  key: string | undefined;
  stance: number;
  confidence: number;
  isMeasured: boolean;
  votes: boolean;
};
type LeafCase = {
  kind: 'leaf';
  ms: number;
  ends: 'well' | 'throws' | 'throws once' | 'hangs' | 'silent' | 'invalid' | 'gap' | 'rubbish live';
  isDeaf: boolean;
  hasLastWords: boolean;
  sayings: Saying[];
};
type OrchestratorCase = {
  children: NodeCase[];
  isStaged: boolean;
  hasQuorum: boolean;
  executes: boolean;
  synthesis: 'deterministic' | 'keeps all' | 'keeps nothing' | 'merges all' | 'lies' | 'throws' | 'vandal';
  fault: { step: '' | ':plan' | ':gather' | ':synthesize'; kind: string } | undefined;
};
type NodeCase = LeafCase | ({ kind: 'domain' } & OrchestratorCase);
export type RunCase = {
  root: OrchestratorCase;
  maxDepth: number;
  concurrency: number;
  /** When the run is cut short: by the clock, or by a listener at the nth event. */
  cut: { at: number } | { event: number };
};

const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 2 * others.length, arbitrary: fc.constant(usual) },
    { weight: others.length, arbitrary: fc.constantFrom(...others) },
  );

const saying: fc.Arbitrary<Saying> = fc.record({
  isCritical: fc.boolean(),
  isLive: fc.boolean(),
  key: fc.constantFrom('a', 'b', undefined),
  stance: fc.constantFrom(-1, -0.4, 0, 0.4, 1),
  confidence: fc.constantFrom(0, 0.5, 1),
  isMeasured: fc.boolean(),
  votes: mostly(true, false),
});
const leafCase: fc.Arbitrary<LeafCase> = fc.record({
  kind: fc.constant('leaf'),
  ms: fc.oneof(
    fc.constantFrom(0, 10, 50),
    fc.integer({ min: 0, max: 5_000 }),
    fc.integer({ min: 0, max: DEADLINE + 100 }),
  ),
  ends: mostly<LeafCase['ends']>('well', 'throws', 'throws once', 'hangs', 'silent', 'invalid', 'gap', 'rubbish live'),
  isDeaf: mostly(false, true),
  hasLastWords: mostly(false, true),
  sayings: fc.array(saying, { maxLength: 3 }),
});
const orchestratorCase = (depth: number): fc.Arbitrary<OrchestratorCase> =>
  fc.record({
    children: fc.array(nodeCase(depth + 1), { minLength: 1, maxLength: WIDEST }),
    isStaged: mostly(false, true),
    hasQuorum: mostly(false, true),
    executes: fc.boolean(),
    synthesis: mostly<OrchestratorCase['synthesis']>(
      'deterministic',
      'keeps all',
      'keeps nothing',
      'merges all',
      'lies',
      'throws',
      'vandal',
    ),
    fault: fc.option(
      fc.record({
        step: fc.constantFrom('', ':plan', ':gather', ':synthesize'),
        kind: fc.constantFrom('hang', 'throw', 'silent', 'invalid', 'slow:40', 'slow:3000', 'slow:70000'),
      }),
      { freq: depth === 0 ? 9 : 4, nil: undefined },
    ),
  });
const nodeCase = (depth: number): fc.Arbitrary<NodeCase> =>
  depth === DEEPEST
    ? leafCase
    : fc.oneof(
        { weight: depth, arbitrary: leafCase },
        { weight: 2, arbitrary: orchestratorCase(depth).map((node) => ({ kind: 'domain' as const, ...node })) },
      );

export const runCase: fc.Arbitrary<RunCase> = fc.record({
  root: orchestratorCase(0),
  maxDepth: fc.constantFrom(0, 1, 2, 3, 3, 4, 4, 4, 4, 4),
  concurrency: fc.constantFrom(1, 2, 3, 10),
  cut: fc.oneof(
    fc.record({ at: fc.constantFrom(0, 1, 10, 50, 60, 1_000, DEADLINE / 4, DEADLINE - 200) }),
    fc.record({ at: fc.integer({ min: 0, max: DEADLINE }) }),
    fc.record({ event: fc.integer({ min: 1, max: 120 }) }),
  ),
});

export type RandomRun = {
  scenario: Scenario;
  faults: string[];
  /** Every critical statement that an author has uttered so far. */
  uttered: Uttered[];
  /** How many authors are asleep and deaf to their signal. */
  asleep: () => number;
};
type Uttered = { statement: string; at: number; isLive: boolean };

/** Statements are unique, so that a finding can be followed whatever id it gets. */
export function randomRun({ root, maxDepth }: RunCase, clock: VirtualClock): RandomRun {
  const faults: string[] = [];
  const uttered: Uttered[] = [];
  let spoken = 0;
  let asleep = 0;
  const utter = (path: string, said: Saying): FindingDraft => {
    const statement = `${path} said ${spoken++}`;
    if (said.isCritical) uttered.push({ statement, at: clock.now(), isLive: said.isLive });
    return {
      statement,
      stance: said.stance,
      confidence: said.confidence,
      ...(said.key !== undefined && { key: said.key }),
      ...(said.isMeasured && { measure: 'level', value: 7, source: { kind: 'series', ref: 'the same' } }),
      ...(!said.votes && { flags: ['context'] }),
      ...(said.isCritical && { critical: { rule: 'alarm', reason: 'it rings' } }),
    };
  };
  const runOf =
    (leaf: LeafCase): LeafRun =>
    async ({ task: { path }, attempt, report, abortSignal, gap }) => {
      for (const said of leaf.sayings) if (said.isLive) report(utter(path, said));
      if (leaf.hasLastWords) {
        abortSignal.addEventListener('abort', () => report(utter(path, { ...LAST_WORDS })), { once: true });
      }
      if (leaf.isDeaf) {
        asleep++;
        await clock.sleep(leaf.ms);
        asleep--;
      } else await clock.sleep(leaf.ms, abortSignal);
      if (leaf.ends === 'hangs') return never();
      if (leaf.ends === 'throws' || (leaf.ends === 'throws once' && attempt === 1)) throw new Error('no');
      if (leaf.ends === 'silent') return undefined as never;
      if (leaf.ends === 'invalid') return { statement: '' };
      if (leaf.ends === 'gap') return gap('stale', 'too old');
      if (leaf.ends === 'rubbish live') report({} as never);
      return leaf.sayings.filter((said) => !said.isLive).map((said) => utter(path, said));
    };
  const childrenOf = (parent: string, { children, isStaged }: OrchestratorCase): Child[] =>
    children.map((child, i) => {
      const name = `${child.kind === 'leaf' ? 'l' : 'd'}${i}`;
      const path = childPath(parent, name);
      const first = `${children[0]?.kind === 'leaf' ? 'l' : 'd'}0`;
      const needs = isStaged && i > 0 ? { needs: [first] } : {};
      if (child.kind === 'leaf') return defineLeaf({ name, run: runOf(child), ...needs });
      return defineDomain({
        name,
        charter: path,
        children: childrenOf(path, child),
        ...needs,
        ...joinedBy(path, child),
      });
    });
  const joinedBy = (path: string, { children, hasQuorum, executes, synthesis, fault }: OrchestratorCase) => {
    if (fault) faults.push(`${path}${fault.step}=${fault.kind}`);
    return {
      ...(hasQuorum && { join: { quorum: Math.ceil(children.length / 2) } }),
      ...(executes && { execute: runOf({ ...EXECUTES }) }),
      ...(synthesis !== 'deterministic' && { synthesize: SYNTHESIZERS[synthesis] }),
    };
  };
  const scenario = defineScenario({
    name: 'random',
    thesis: 'It holds',
    domains: childrenOf(ROOT, root),
    limits: { maxDepth, deadline: DEADLINE },
    ...joinedBy(ROOT, root),
  });
  return { scenario, faults, uttered, asleep: () => asleep };
}

const PLAIN = { isLive: true, key: undefined, stance: -1, confidence: 1, isMeasured: false, votes: true };
const LAST_WORDS: Saying = { ...PLAIN, isCritical: true };
const EXECUTES: LeafCase = {
  kind: 'leaf',
  ms: 20,
  ends: 'well',
  isDeaf: false,
  hasLastWords: false,
  sayings: [LAST_WORDS, { ...PLAIN, isCritical: false, isLive: false }],
};

const idsOf = (children: Parameters<typeof incomingOf>[0]): string[] => [
  ...new Set(incomingOf(children).map(({ id }) => id)),
];
const SYNTHESIZERS: Record<Exclude<OrchestratorCase['synthesis'], 'deterministic'>, Synthesizer> = {
  'keeps all': ({ children }) => ({
    narrative: 'All of it.',
    dispositions: idsOf(children).map((id) => ({ id, as: 'kept' })),
  }),
  'keeps nothing': () => ({ narrative: 'Nothing.', dispositions: [] }),
  'merges all': ({ children }) => {
    const ids = idsOf(children);
    const [lead] = ids;
    return {
      narrative: 'One.',
      dispositions: ids.map((id) => ({ id, as: 'merged', into: 'one' })),
      merges: lead === undefined ? [] : [{ key: 'one', lead, statement: 'All in one' }],
    };
  },
  lies: () => ({ narrative: 'See [root/nobody#0].', dispositions: [] }),
  throws: () => {
    throw new Error('no synthesis today');
  },
  vandal: ({ children }) => {
    for (const { outcome } of children) {
      if (outcome.kind === 'report') outcome.escalations.length = 0;
      else if (outcome.partial) outcome.partial.findings.length = 0;
    }
    return { narrative: 'Nothing happened.', dispositions: [] };
  },
};
