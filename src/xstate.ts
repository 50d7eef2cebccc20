export {
  isProgress,
  orchestrator,
  type OrchestratorInput,
  type OrchestratorLogic,
  type OrchestratorOptions,
} from './runtime/in-process/embed.ts';
