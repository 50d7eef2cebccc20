/** What is walked: the pure functions that decide, in one place, so that a walk can be given broken ones. */
import { initialTransition, transition } from 'xstate';
import type { Task } from '../../src/protocol/task.ts';
import { childGrant } from '../../src/tier/grant.ts';
import { joinStep, openJoin } from '../../src/tier/join.ts';
import { beginLeaf, leafStep } from '../../src/tier/leaf-logic.ts';
import { orchestratorMachine } from '../../src/tier/orchestrator-machine.ts';
import { rootReport } from '../../src/tier/report.ts';

export type ChartSnapshot = ReturnType<typeof initialTransition<typeof orchestratorMachine>>[0];
export type Stepped = [snapshot: ChartSnapshot, actions: readonly { type: string; params?: unknown }[]];

export const core = {
  beginChart: (task: Task): Stepped => initialTransition(orchestratorMachine, task) as Stepped,
  chartStep: (snapshot: ChartSnapshot, event: object): Stepped =>
    transition(orchestratorMachine, snapshot, event as never) as Stepped,
  openJoin,
  joinStep,
  beginLeaf,
  leafStep,
  childGrant,
  rootReport,
};
export type Core = typeof core;
