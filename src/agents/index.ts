export { CRITICAL_REFUSED, UNDATED, UNSOURCED } from './agent-answer.ts';
export { agentsIn } from './agents-in.ts';
export { defineAgent, type AgentOptions, type AgentSource } from './define-agent.ts';
export { inTurn } from './in-turn.ts';
export { planByModel, type PlannerOptions } from './planner.ts';
export { enrichmentByModel } from './recovery.ts';
export { synthesizeByModel, type SynthesizerOptions } from './synthesizer.ts';
