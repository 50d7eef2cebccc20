import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { z } from 'zod';
import { Assessment } from '../../src/protocol/assessment.ts';
import { Conflict, Relation } from '../../src/protocol/conflict.ts';
import { Decision } from '../../src/protocol/decision.ts';
import { Finding, FindingDraft } from '../../src/protocol/finding.ts';
import { Gap } from '../../src/protocol/gap.ts';
import { Grant } from '../../src/protocol/grant.ts';
import { FailureToken, Outcome, Report } from '../../src/protocol/report.ts';
import { Retention } from '../../src/protocol/retention.ts';
import { RunEvent, type RunEventBody } from '../../src/protocol/run-event.ts';
import { Synthesis } from '../../src/protocol/synthesis.ts';
import { Task } from '../../src/protocol/task.ts';
import * as any from './arbitraries.ts';

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test.each<[string, z.ZodType, fc.Arbitrary<unknown>]>([
  ['Finding', Finding, any.findings],
  ['Gap', Gap, any.gaps],
  ['Grant', Grant, any.grants],
  ['Decision', Decision, any.decisions],
  ['Conflict', Conflict, any.conflicts],
  ['Relation', Relation, any.relations],
  ['Retention', Retention, any.retentions],
  ['Assessment', Assessment, any.assessments],
  ['Synthesis', Synthesis, any.syntheses],
  ['Task', Task, any.tasks],
  ['Report', Report, any.reports],
  ['FailureToken', FailureToken, any.tokens],
  ['Outcome', Outcome, fc.oneof(any.reports, any.tokens)],
])('%s: what was written is read as the same', (_, schema, values) => {
  fc.assert(
    fc.property(values, (value) => {
      const read = schema.parse(json(value));
      expect(read).toEqual(value);
      expect(json(read)).toEqual(json(value));
    }),
    { numRuns: 50 },
  );
});

describe('RunEvent', () => {
  const path = fc.constant('root/macro');
  const fault = fc.constant({ status: 'error' as const, message: 'it broke' });
  const bodies: { [Type in RunEventBody['type']]: fc.Arbitrary<object> } = {
    'run.started': fc.record({
      scenario: fc.string(),
      thesis: fc.string(),
      hostVersion: fc.string(),
      maxDepth: fc.nat(),
      deadline: fc.nat(),
      concurrency: fc.nat(),
    }),
    'node.started': fc.record({
      tier: fc.constant('domain'),
      depth: fc.nat(),
      question: fc.string(),
      charter: fc.string(),
      grant: any.grants,
      prior: fc.array(fc.record({ path: fc.string(), digest: fc.string() }), { maxLength: 2 }),
    }),
    'node.reused': fc.record({
      tier: fc.constant('leaf'),
      status: fc.constantFrom('partial', 'error'),
      digest: fc.string(),
    }),
    'budget.refused': fc.record({
      dimension: fc.constantFrom('usd', 'tokens', 'leaves'),
      asked: fc.nat(),
      left: fc.nat(),
    }),
    'limit.ignored': fc.record({ limit: fc.constant('hedge'), message: fc.string() }),
    'node.invalidated': fc.record({ why: fc.string() }),
    'source.read': fc.record({
      source: fc.string(),
      declared: fc.boolean(),
      startedAt: fc.integer(),
      status: fc.constantFrom('complete', 'timeout', 'error'),
      observations: fc.nat(),
    }),
    'tool.called': fc.record({
      tool: fc.string(),
      startedAt: fc.integer(),
      status: fc.constantFrom('complete', 'timeout', 'error'),
    }),
    'dependency.observed': fc.record({ on: fc.string(), via: fc.constantFrom('report', 'artifact', 'source') }),
    'record.failed': fc.record({ message: fc.string() }),
    'memory.failed': fc.record({ message: fc.string() }),
    'node.planned': fc.record({ decision: any.decisions }),
    'depth.refused': fc.record({ maxDepth: fc.nat(), children: fc.array(fc.string()) }),
    'attempt.started': fc.record({ attempt: fc.nat() }),
    'attempt.failed': fc.record({ attempt: fc.nat(), fault, willRetry: fc.boolean() }),
    'attempt.backed-off': fc.record({ attempt: fc.nat(), fault, ms: fc.nat() }),
    'attempt.hedged': fc.record({ attempt: fc.nat() }),
    'execution.dropped': fc.record(
      { attempt: fc.nat(), which: fc.constantFrom('first', 'hedge'), fault },
      { requiredKeys: ['attempt', 'which'] },
    ),
    'slots.changed': fc.record({
      pool: fc.string(),
      limit: fc.nat(),
      why: fc.constantFrom('rate-limited', 'memory', 'recovered'),
    }),
    'finding.reported': fc.record({ finding: any.findings }),
    'finding.escalated': fc.record({ finding: any.findings }),
    'join.expired': fc.record({ stage: fc.nat(), missing: fc.array(fc.string()) }),
    'child.late': fc.record({
      child: fc.string(),
      why: fc.constantFrom('late', 'duplicate', 'unknown'),
      findings: fc.array(any.findings, { maxLength: 2 }),
    }),
    'integrity.alert': fc.record({
      kind: fc.constantFrom('spawn', 'misattributed', 'depth'),
      message: fc.string(),
    }),
    'synthesis.rejected': fc.record({ attempt: fc.nat(), fault, willRetry: fc.boolean() }),
    'synthesis.interim': fc.record({
      tier: fc.constant('root'),
      ended: fc.nat(),
      children: fc.nat(),
      assessment: fc.constant({
        coverage: 0.5,
        dissent: 0,
        logOdds: -1,
        votes: { against: 1, context: 0, neutral: 0, supports: 0 },
      }),
      report: any.reports,
    }),
    'interim.failed': fc.record({ fault }),
    'node.reported': fc.record({ tier: fc.constant('domain'), report: any.reports }),
    'node.failed': fc.record({ tier: fc.constant('domain'), token: any.tokens }),
    'run.completed': fc.record({ status: fc.constant('partial'), digest: fc.string(), sha256: fc.string() }),
  };
  it('has a case here for every type', () => {
    const types = RunEvent.options.map((option) => option.shape.type.value);
    expect(Object.keys(bodies).sort()).toEqual(types.toSorted());
  });
  test.each(Object.entries(bodies))('%s: what was written is read as the same', (type, body) => {
    fc.assert(
      fc.property(body, path, fc.nat(), (body, path, seq) => {
        const event = { v: 1, runId: 'run', seq, at: 12.5, type, path, ...body };
        expect(RunEvent.parse(json(event))).toEqual(event);
      }),
      { numRuns: 20 },
    );
  });
  it('of another version, or without its stamp, is refused', () => {
    const event = { v: 1, runId: 'run', seq: 0, at: 0, type: 'attempt.started', path: 'root', attempt: 1 };
    expect(RunEvent.safeParse(event).success).toBe(true);
    const wrong = [
      { v: 2 },
      { v: undefined },
      { seq: -1 },
      { seq: 0.5 },
      { at: null },
      { runId: 7 },
      { type: 'attempt.begun' },
    ];
    for (const over of wrong) expect(RunEvent.safeParse({ ...event, ...over }).success).toBe(false);
  });
});

describe('what is persisted carries its version', () => {
  test.each<[string, z.ZodType, fc.Arbitrary<object>]>([
    ['a report', Report, any.reports],
    ['a token', FailureToken, any.tokens],
  ])('%s of another is refused', (_, schema, values) => {
    fc.assert(
      fc.property(values, (value) => {
        for (const schemaVersion of [0, 2, '1', undefined]) {
          expect(schema.safeParse({ ...value, schemaVersion }).success).toBe(false);
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe('FindingDraft', () => {
  const statement = 'It is so';
  it('fills in what an author may leave out', () => {
    expect(FindingDraft.parse({ statement })).toEqual({ statement, stance: 0, confidence: 0.5, flags: [] });
  });
  test.each<[string, object]>([
    ['no statement', { statement: undefined }],
    ['an undefined value', { value: undefined }],
    ['an infinite value', { value: Number.POSITIVE_INFINITY }],
    ['a stance below −1', { stance: -1.000001 }],
    ['a confidence above 1', { confidence: 1.000001 }],
    ['a critical without a rule', { critical: { rule: '', reason: 'because' } }],
    ['a source without a reference', { source: { kind: 'csv', ref: '' } }],
    ['an empty key', { key: '' }],
    ['a key with a slash', { key: 'a/b' }],
    ['a key with a tilde', { key: 'a~2' }],
    ['a key with a line break', { key: 'a\n' }],
    ['a key with half a character', { key: '\uD800' }],
    ['a long key', { key: 'x'.repeat(129) }],
    ['data that is no JSON', { data: { when: new Date(0) } }],
    ['data that is not a number', { data: [Number.NaN] }],
    ['data 65 levels deep', { data: JSON.parse(`${'['.repeat(66)}${']'.repeat(66)}`) }],
    ['data of 100,001 values', { data: Array.from({ length: 100_000 }, () => 0) }],
  ])('with %s is refused', (_, over) => {
    expect(FindingDraft.safeParse({ statement, ...over }).success).toBe(false);
    expect(FindingDraft.safeParse({ statement }).success).toBe(true);
  });
  it('takes data of up to 64 levels and 100,000 values', () => {
    for (const data of [JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`), Array.from({ length: 99_999 }, () => 0)]) {
      expect(FindingDraft.parse({ statement, data }).data).toEqual(data);
    }
  });
  it('cannot reach a prototype', () => {
    const read = FindingDraft.parse(
      JSON.parse('{"statement":"s","__proto__":{"x":1},"data":{"__proto__":{"x":1},"y":2}}'),
    );
    expect(Object.getPrototypeOf(read.data)).toBe(Object.prototype);
    expect([read, read.data, {}].map((one) => (one as { x?: number }).x)).toEqual([undefined, undefined, undefined]);
    expect(read.data).toEqual({ y: 2 });
  });
});

test.each<[string, z.ZodType, unknown]>([
  [
    'a decision with one name twice',
    Decision,
    {
      by: 'x',
      mode: 'divide',
      stages: [[{ name: 'a', role: 'leaf' }], [{ name: 'a', role: 'leaf' }]],
      skipped: [],
      estimates: { leaves: 1, criticalPathMs: 1 },
    },
  ],
  [
    'a decision by nobody',
    Decision,
    { by: '', mode: 'divide', stages: [], skipped: [], estimates: { leaves: 1, criticalPathMs: 1 } },
  ],
  ['an unknown gap', Gap, { path: 'root', kind: 'forgotten', why: '' }],
  ['a gap nowhere', Gap, { path: '', kind: 'stale', why: '' }],
  [
    'a dissent above a half',
    Conflict,
    {
      path: 'root',
      dissent: 0.6,
      supports: { findings: [], weight: 1 },
      against: { findings: [], weight: 1 },
      resolution: 'open',
      statement: '',
    },
  ],
  ['a relation of three', Relation, { kind: 'reinforces', between: ['a', 'b', 'c'], strength: 1, statement: '' }],
  [
    'a recall above 1',
    Retention,
    { incoming: 1, kept: 1, merged: 0, dropped: 0, recall: 1.1, verbatim: 1, numbersKept: 1, numbersFabricated: 0 },
  ],
])('%s is refused', (_, schema, value) => {
  expect(schema.safeParse(value).success).toBe(false);
});

test.each(['2008-06-31', '2007-02-29', '2008-6-1', '2008-06-01T00:00:00Z', '01-06-2008', 'yesterday', ''])(
  'a task as of %j is refused',
  (asOf) => {
    const [task] = fc.sample(any.tasks, 1);
    expect(Task.safeParse({ ...task, asOf }).success).toBe(false);
    expect(Task.safeParse({ ...task, asOf: '2008-02-29' }).success).toBe(true);
  },
);
