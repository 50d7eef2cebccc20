import { EspalierError } from '../errors.ts';
import type { Child, Domain, Leaf, LeafRun, Scenario, Synthesizer } from '../define/spec.ts';
import { childPath, ROOT } from '../protocol/path.ts';

/** What nodes do in place of their own code, by path. */
export type Script = {
  /** Of a leaf its run; of an orchestrator its execute, when depth is spent. */
  readonly runs?: Readonly<Record<string, LeafRun<unknown>>>;
  /** Of an orchestrator its synthesizer. */
  readonly syntheses?: Readonly<Record<string, Synthesizer>>;
};

/**
 * A scenario in which the named nodes follow a script; all else stays as it is.
 * @throws EspalierError `invalid-input` on a path that the scenario does not have
 * @example scripted(scenario, { runs: { 'root/macro/payrolls': () => ({ statement: 'Payrolls fell', stance: -1 }) } })
 */
export function scripted(scenario: Scenario, { runs = {}, syntheses = {} }: Script): Scenario {
  const unused = new Set([...Object.keys(runs), ...Object.keys(syntheses)]);
  const scriptOf = (path: string): { run: LeafRun<unknown> | undefined; synthesize: Synthesizer | undefined } => {
    unused.delete(path);
    return { run: runs[path], synthesize: syntheses[path] };
  };
  /** Of a leaf that a decision may put into a sub-domain: its run depends on where it stands. */
  const runOf = (path: string, leaf: Leaf): LeafRun<unknown> | undefined => {
    const { run } = scriptOf(path);
    const moved = Object.keys(runs).filter((scripted) => isMoved(scripted, path));
    if (moved.length === 0) return run;
    for (const scripted of moved) unused.delete(scripted);
    return (context) => (runs[context.task.path] ?? run ?? leaf.run)(context);
  };
  const childAt = (parent: string, child: Child): Child => {
    const path = childPath(parent, child.name);
    if (child.kind === 'leaf') {
      const run = runOf(path, child);
      return run ? { ...child, run } : child;
    }
    const { run, synthesize } = scriptOf(path);
    return { ...child, ...below(path, child), ...executeOf(run), ...(synthesize && { synthesize }) };
  };
  const below = (path: string, { stages }: Domain | Scenario): { children: Child[]; stages: Child[][] } => {
    const scriptedStages = stages.map((stage) => stage.map((child) => childAt(path, child)));
    return { children: scriptedStages.flat(), stages: scriptedStages };
  };
  const { run, synthesize } = scriptOf(ROOT);
  const { children: domains, stages } = below(ROOT, scenario);
  const result = { ...scenario, domains, stages, ...executeOf(run), ...(synthesize && { synthesize }) };
  const [unknown] = unused;
  if (unknown === undefined) return result;
  throw new EspalierError('invalid-input', `The script names "${unknown}", which scenario "${scenario.name}" has not.`);
}

/** Whether `path` is that of a declared node under sub-domains that nobody declared: root/macro/a-m/jobs of root/macro/jobs. */
function isMoved(path: string, declared: string): boolean {
  const names = declared.split('/');
  const parts = path.split('/');
  let found = 0;
  for (const part of parts) if (part === names[found]) found++;
  return parts.length > names.length && found === names.length && parts.at(-1) === names.at(-1);
}

/** `LeafRun<unknown>` is wider than what `execute` may give; what it gives is parsed all the same. */
const executeOf = (run: LeafRun<unknown> | undefined): { execute?: LeafRun } =>
  run ? { execute: run as LeafRun } : {};
