/** What a run is given, checked, and what its options make of a scenario's limits. */
import { checkAsOf } from '../define/as-of.ts';
import { isNames, METHOD, OBJECT, shown, STORE } from '../define/check.ts';
import { limitsOf } from '../define/define-scenario.ts';
import { checkModels, checkPolicy, modelsOf, type Models } from '../define/models.ts';
import type { Limits, Scenario } from '../define/spec.ts';
import { debounceOf } from '../define/synthesis-mode.ts';
import { EspalierError } from '../errors.ts';
import { faultOf } from '../tier/fault.ts';
import type { RunOptions } from './run.ts';

const RUN_ID = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;
const NAMED = 8; // of the domains there are, in a message

/**
 * Checks a scenario and all options that no limit is made of. Both may come from JavaScript.
 * @throws EspalierError `invalid-input`
 */
export function checkScenario(scenario: Scenario, options: RunOptions = {}): void {
  checkKind(scenario);
  if (!OBJECT.isMet(options)) throw invalid(`The options are ${shown(options)}. Give an object, or leave them out.`);
  const { approve, asOf, decided, domains, runId, signingKey, store, synthesis, thesis } = options;
  if (asOf !== undefined) checkAsOf(asOf);
  if (thesis !== undefined && (typeof thesis !== 'string' || thesis.trim() === '')) {
    throw invalid(`The option thesis is ${shown(thesis)}. Say in a sentence what is to be examined, or leave it out.`);
  }
  if (runId !== undefined && !(typeof runId === 'string' && RUN_ID.test(runId))) {
    throw invalid(
      `The option runId is ${shown(runId)}, which cannot name a folder. Use 1 to 128 letters of a to z, digits, "-", "_" or ".", not starting with ".".`,
    );
  }
  if (store !== undefined && !STORE.isMet(store)) {
    throw invalid(`The option store is ${shown(store)}. ${STORE.remedy}`);
  }
  if (signingKey !== undefined && !(signingKey?.type === 'private' && signingKey.asymmetricKeyType === 'ed25519')) {
    throw invalid('The option signingKey is no Ed25519 private key. Give one that createPrivateKey returns.');
  }
  if (approve !== undefined && !METHOD.isMet(approve)) {
    throw invalid(`The option approve is ${shown(approve)}. Give a function of the plan.`);
  }
  if (
    decided !== undefined &&
    !(OBJECT.isMet(decided) && OBJECT.isMet(decided.decisions) && OBJECT.isMet(decided.spent))
  ) {
    throw invalid(`The option decided is ${shown(decided)}. Give the decided of an askPlan.`);
  }
  checkDomains(scenario, domains);
  checkMode(synthesis);
  checkModels('The run', options.models);
  if (options.policy !== undefined) checkPolicy(options.policy);
}

function checkMode(synthesis: RunOptions['synthesis']): void {
  try {
    debounceOf('The run', synthesis);
  } catch (error) {
    throw invalid(faultOf(error).message);
  }
}

function checkKind(scenario: unknown): void {
  const kind = typeof scenario === 'object' && scenario !== null && 'kind' in scenario ? scenario.kind : undefined;
  if (kind === 'scenario') return;
  const what = kind === 'leaf' || kind === 'domain' ? `a ${kind}` : shown(scenario);
  throw invalid(`The scenario to run is ${what}. Give what defineScenario returns.`);
}

/** The models of this run, bound; undefined where there are none. @throws EspalierError `invalid-input` */
export function modelsFor(scenario: Scenario, { models = scenario.models, policy }: RunOptions): Models | undefined {
  return models && modelsOf(models, policy);
}

/** @throws EspalierError `invalid-input` */
export function limitsFor(scenario: Scenario, { deadline, maxDepth, concurrency, hedge, budget }: RunOptions): Limits {
  return limitsOf({
    ...scenario.limits,
    deadline: deadline ?? scenario.limits.deadlineMs,
    ...(maxDepth !== undefined && { maxDepth }),
    ...(concurrency !== undefined && { concurrency }),
    ...(hedge !== undefined && { hedge }),
    // what is no object is said by whoever checks it
    ...(budget !== undefined && { budget: OBJECT.isMet(budget) ? { ...scenario.limits.budget, ...budget } : budget }),
  });
}

/**
 * `ranked` puts the names that somebody may have meant first.
 * @throws EspalierError `invalid-input`
 */
export function checkDomains(
  scenario: Scenario,
  domains: readonly string[] | undefined,
  ranked: (typed: string, names: readonly string[]) => readonly string[] = (_typed, names) => names,
): void {
  if (domains === undefined) return;
  if (!isNames(domains)) throw invalid(`The option domains is ${shown(domains)}. Give a list of names: ["a", "b"].`);
  const names = scenario.domains.map((domain) => domain.name);
  const known = new Set(names);
  const unknown = domains.find((name) => !known.has(name));
  if (domains.length > 0 && unknown === undefined) return;
  const among = ranked(unknown ?? '', names).slice(0, NAMED);
  const rest = names.length - among.length;
  const choice = `Choose from ${among.map((name) => `"${name}"`).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}.`;
  throw invalid(
    unknown === undefined
      ? `No domain of scenario "${scenario.name}" is chosen. ${choice}`
      : `There is no domain "${unknown}" in scenario "${scenario.name}". ${choice}`,
  );
}

const invalid = (message: string): EspalierError => new EspalierError('invalid-input', message);
