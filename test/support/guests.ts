/** Logic of a caller's own for a node, well-behaved and not. */
import type { ActorScope, AnyActorLogic, AnyActorRef, AnyEventObject } from 'xstate';
import type { InProcessOptions } from '../../src/runtime/in-process/start.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import type { UnsealedReport } from '../../src/protocol/report.ts';
import { depthOf } from '../../src/protocol/path.ts';

/** `guestFor` that replaces the node at one path. */
export const guestAt =
  (path: string, logic: AnyActorLogic): NonNullable<InProcessOptions['guestFor']> =>
  (_, task) =>
    task.path === path ? logic : undefined;

/** Logic that does nothing, less what `over` does. */
export const logicOf = (over: Record<string, unknown>): AnyActorLogic =>
  ({
    transition: (snapshot: unknown) => snapshot,
    getPersistedSnapshot: (snapshot: unknown) => snapshot,
    getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
    ...over,
  }) as unknown as AnyActorLogic;

/** Logic that sends its parent these messages when it starts, and never answers. */
export const telling = (...messages: AnyEventObject[]): AnyActorLogic =>
  logicOf({
    start(_: unknown, { self }: ActorScope<never, never>) {
      for (const message of messages) (self._parent as AnyActorRef).send(message);
    },
  });

export const guestFinding = (path: string, over: Partial<Finding> = {}): Finding => ({
  id: `${path}#said`,
  path,
  statement: `Said by ${path}`,
  stance: 0.5,
  confidence: 0.8,
  flags: [],
  source: { kind: 'test', ref: path },
  ...over,
});

export const guestReport = (path: string, over: Partial<UnsealedReport> = {}): UnsealedReport => {
  const usage = { nodes: 1, leaves: 1, attempts: 1, inputTokens: 0, outputTokens: 0, usd: 0, depth: depthOf(path) };
  return {
    kind: 'report',
    schemaVersion: 1,
    runId: 'run',
    path,
    tier: 'leaf',
    depth: depthOf(path),
    question: '',
    status: 'complete',
    madeBy: 'leaf',
    narrative: '',
    findings: [],
    escalations: [],
    conflicts: [],
    relations: [],
    gaps: [],
    dispositions: [],
    derived: [],
    artifacts: [],
    usage: { self: usage, subtree: usage },
    children: [],
    ...over,
  };
};
