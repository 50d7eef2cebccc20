import type { Finding } from '../protocol/finding.ts';
import type { Task } from '../protocol/task.ts';

/** What a hook answers: nothing, or why the node may not go on like this. */
export type HookAnswer = { refuse: string } | undefined | void;

/**
 * A program's own say in a run. A refusal is a failed attempt: a leaf goes into recovery and is told the reason, a
 * synthesis is asked for once more, a plan fails. What a hook throws counts as a refusal.
 */
export type Hooks = {
  /** Before a node's work begins: of a leaf before each attempt, with what the earlier ones taught in its task. */
  readonly beforeSpawn?: (task: Task) => HookAnswer | Promise<HookAnswer>;
  /**
   * When a node says that it is done: of a leaf with its findings, after its own `verify`; of an orchestrator with those
   * that its children reported, after its synthesis.
   */
  readonly taskCompleted?: (task: Task, findings: readonly Finding[]) => HookAnswer | Promise<HookAnswer>;
  /** When a leaf at work has reported nothing for `idleAfter`, and again after as long. */
  readonly nodeIdle?: (task: Task, idleMs: number) => HookAnswer | Promise<HookAnswer>;
  /** How long is idle: `'30s'` or ms. Default 60 s. */
  readonly idleAfter?: number | string;
  /** A critical finding has reached the root. Nothing can keep it from there: there is nothing to answer. */
  readonly onEscalation?: (finding: Finding) => void;
};
