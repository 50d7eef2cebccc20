export { NOTHING_LEFT, watchLeftovers, type Leftovers, type LeftoverWatch } from './leftovers.ts';
export { observeReads, type ObserveOptions } from './observe-reads.ts';
export { checkRehearsedFaults, rehearse } from './rehearsal.ts';
export { parseRehearsedFault, type RehearsedFault, type RehearsedStep } from './rehearsed-fault.ts';
export { scripted, type Script } from './scripted.ts';
export {
  scriptedModel,
  type ScriptedAnswer,
  type ScriptedCall,
  type ScriptedModel,
  type ScriptedModelOptions,
} from './scripted-model.ts';
export { testScenario, type TestedRun, type TestOptions } from './test-scenario.ts';
export { VirtualClock } from './virtual-clock.ts';
