import type { RunEvent } from '../protocol/run-event.ts';
import type { Task } from '../protocol/task.ts';

/** Watches runs from outside: traces and metrics. It may serve several runs at once, and must never throw. */
export type Telemetry = {
  /** Every event of every run it is given to, in the order of each run. */
  onEvent(event: RunEvent): void;
  /**
   * Asked once, after `run.started`: whether it has anything to do with this run. When it has not, it is told nothing
   * more but the end. Default: it has.
   */
  isWatching?(runId: string): boolean;
  /** The run is over, also when it was stopped or broke and no `run.completed` came. May be called twice. */
  onEnd(runId: string): void;
  /**
   * The W3C trace context of a node's span, known from its `node.started` on: it travels in the node's task. With an
   * empty path that of the run's span, known from `run.started` on.
   */
  traceparentOf(runId: string, path: string): string | undefined;
  /**
   * The same, for a process that knows of the run nothing but the trace context of the run's span. Undefined where that
   * does not tell it. Default: it never does.
   */
  traceparentFor?(runTraceparent: string, runId: string, path: string): string | undefined;
  /** Calls `work` so that what it instruments itself (HTTP, databases, models) belongs to the task's span. */
  within<Result>(task: Task, work: () => Result): Result;
};
