/** A plan and the events of its run, as the progress displays see them. */
import type { RunEvent, RunEventBody } from '../../src/protocol/index.ts';
import type { Plan, PlannedNode } from '../../src/runtime/run.ts';
import { critical, emptyReport } from '../render/sample-report.ts';

const node = (path: string, children: PlannedNode[] = []): PlannedNode => {
  const depth = path.split('/').length - 1;
  return {
    path,
    tier: depth === 0 ? 'root' : children.length > 0 ? 'domain' : 'leaf',
    depth,
    question: '',
    sources: [],
    needs: [],
    estimateMs: 1_000,
    children,
  };
};

/** A tree of `domains` × `leaves`. */
export const planOf = (domains: number, leaves: number): Plan => ({
  scenario: 'wide',
  thesis: 'Hold 漢字 large-cap technology (MSFT, AAPL, IBM, AMZN, GOOG) over the coming half year',
  asOf: '2008-06-01',
  maxDepth: 2,
  deadlineMs: 480_000,
  concurrency: 10,
  expectedMs: 1_000,
  measured: { leaves: 0, of: 1 },
  warnings: [],
  root: node(
    'root',
    Array.from({ length: domains }, (_, d) =>
      node(
        `root/domain-${d}`,
        Array.from({ length: leaves }, (_, l) => node(`root/domain-${d}/some-rather-long-analyst-${l}`)),
      ),
    ),
  ),
});

const grant = {
  depthLeft: 1,
  issuedAt: 0,
  deadline: 9e5,
  reserveMs: 0,
  budget: {},
  maxChildren: 9,
  sources: [],
  tools: [],
};
let seq = 0;
export const stamped = (body: RunEventBody, at = 1_000): RunEvent => ({ v: 1, runId: 'r', seq: seq++, at, ...body });

export const runStarted = (at = 0): RunEvent =>
  stamped(
    {
      type: 'run.started',
      path: 'root',
      scenario: 'wide',
      thesis: 'Hold',
      maxDepth: 2,
      deadline: at + 480_000,
      concurrency: 10,
      hostVersion: '0',
    },
    at,
  );
export const nodeStarted = (path: string, tier: 'root' | 'domain' | 'leaf', at = 0): RunEvent =>
  stamped({ type: 'node.started', path, tier, depth: 1, question: '', charter: '', grant, prior: [] }, at);
export const attemptStarted = (path: string, attempt = 1, at = 0): RunEvent =>
  stamped({ type: 'attempt.started', path, attempt }, at);
export const attemptFailed = (path: string, willRetry: boolean): RunEvent =>
  stamped({ type: 'attempt.failed', path, attempt: 1, fault: { status: 'error', message: 'no' }, willRetry });
export const escalated = (path: string): RunEvent =>
  stamped({ type: 'finding.escalated', path: 'root', finding: critical(`${path}#k`) });
export const reported = (path: string, tier: 'root' | 'domain' | 'leaf', at = 1_000): RunEvent =>
  stamped({ type: 'node.reported', path, tier, report: emptyReport({ path, tier }) }, at);
export const failed = (path: string, status: 'timeout' | 'error' | 'cancelled' = 'timeout', at = 1_000): RunEvent =>
  stamped(
    {
      type: 'node.failed',
      path,
      tier: 'leaf',
      token: {
        kind: 'failure',
        schemaVersion: 1,
        runId: 'r',
        path,
        tier: 'leaf',
        status,
        attempts: 1,
        message: 'no answer',
        retryable: true,
        elapsedMs: 1,
        digest: '',
      },
    },
    at,
  );
