export { NoEvidence } from './activities/source-reader.ts';
export { check, type CheckOptions } from './check/check.ts';
export type { Observed, Reads } from './check/facts.ts';
export type { Remark, RuleId, Severity } from './check/remark.ts';
export { byComplexity, type ComplexityOptions } from './define/by-complexity.ts';
export { defineDomain } from './define/define-domain.ts';
export { defineLeaf } from './define/define-leaf.ts';
export { defineTool, type ToolSpec } from './define/define-tool.ts';
export { defineScenario } from './define/define-scenario.ts';
export type { Asks } from './define/asks.ts';
export type { ModelsSpec } from './define/models.ts';
export { parseDuration } from './define/duration.ts';
export { relevanceOf, type Assessor, type RelevanceContext, type RelevanceSpec } from './define/relevance.ts';
export type { Candidate, Choose, ChooseContext, Decider, DeciderContext, Found, Shape } from './define/shape.ts';
export type {
  Child,
  Domain,
  DomainSpec,
  DraftOf,
  HedgeSpec,
  JoinSpec,
  Leaf,
  LeafContext,
  LeafResult,
  LeafRun,
  LeafSpec,
  Limits,
  LimitsSpec,
  ReinvestigateSpec,
  Scenario,
  ScenarioSpec,
  SourceReader,
  SynthesisContext,
  SynthesisMode,
  Synthesizer,
} from './define/spec.ts';
export { artifactFolder } from './adapters/artifacts/artifact-folder.ts';
export type { Artifacts } from './ports/artifacts.ts';
export { inMemorySources, type InMemorySeries } from './adapters/sources/in-memory.ts';
export { memoryFolder, type MemoryFolderOptions } from './adapters/memory/memory-folder.ts';
export { memoryStore } from './adapters/stores/memory-store.ts';
export { EspalierError, type EspalierErrorCode } from './errors.ts';
export type {
  Activities,
  AttemptInput,
  AttemptIo,
  Ended,
  Io,
  PlanInput,
  SynthesizeInput,
  Verdict,
} from './ports/activities.ts';
export type { Cost, Expense, Reservation, Spending } from './ports/budget.ts';
export type { Model, ModelQuestion, ModelReply, ModelTool } from './ports/asking.ts';
export type {
  Citation,
  Effort,
  JsonSchema,
  ModelAdapter,
  ModelAnswer,
  ModelChoice,
  ModelClass,
  ModelIo,
  ModelMessage,
  ModelRequest,
  ModelUsage,
  ModelWork,
  Policy,
  PolicyName,
  Price,
  RateLimit,
  ServerTool,
  SystemPart,
  ToolCall,
  ToolDeclaration,
  ToolResult,
  Work,
} from './ports/model.ts';
export type { Clock } from './ports/clock.ts';
export { CLAIM_MS } from './ports/store.ts';
export type {
  Batch,
  Claim,
  Duration,
  HelpfulEnrichment,
  NewRun,
  Origin,
  RunFilter,
  RunState,
  RunWriter,
  Store,
  StoredEvent,
  StoredNode,
  StoredOptions,
  StoredRun,
} from './ports/store.ts';
export type { HookAnswer, Hooks } from './ports/hooks.ts';
export type { Lesson, Memory } from './ports/memory.ts';
export type { OpenToolServer, Tool, ToolAnswer, ToolServer, ToolShelf } from './ports/tools.ts';
export type { Telemetry } from './ports/telemetry.ts';
export type { SourceAdapter } from './ports/sources.ts';
export * from './protocol/index.ts';
export { renderBrief } from './render/brief.ts';
export type { Paint, Style } from './render/paint.ts';
export { renderTerminalBrief, type TerminalBriefOptions } from './render/terminal-brief.ts';
export { run, start, type InProcessOptions } from './runtime/in-process/start.ts';
export { amendPlan, askPlan } from './runtime/ask-plan.ts';
export { plan } from './runtime/plan.ts';
export { verifyBrief, type VerifyBriefOptions } from './runtime/record/verify-brief.ts';
export { verifyRun, type Verification, type VerifyOptions } from './runtime/record/verify.ts';
export type {
  Approval,
  Approver,
  AskedPlan,
  Decided,
  Plan,
  PlanEdit,
  PlannedNode,
  RunHandle,
  RunHost,
  RunOptions,
  RunOutcome,
} from './runtime/run.ts';
