/**
 * What makes two tasks the same, so that a resumed run may take over how one of them ended. A definition is known by
 * what is written in it: names, questions, sources, and the text of its functions. What a function imports or closes
 * over cannot be seen.
 */
import type { Domain, Leaf, Scenario } from '../define/spec.ts';
import { canonicalJson, sha256 } from '../protocol/digest.ts';
import { ROOT } from '../protocol/path.ts';
import type { Task } from '../protocol/task.ts';
import type { Entry } from './registry.ts';

type Identity = {
  /** Of the definition and of everything below it. */
  definition: string;
  /** Of the definition and of all that the node was asked and given, its deadline aside. */
  taskDigest: string;
};

/** Undefined of a path that the scenario does not have. */
export type Identify = (task: Task) => Identity | undefined;

const digestByDefinition = new WeakMap<Leaf | Domain | Scenario, string>();

export function definitionDigest(definition: Leaf | Domain | Scenario): string {
  let digest = digestByDefinition.get(definition);
  if (digest === undefined) {
    digest = sha256(canonicalJson(writtenIn(definition)));
    digestByDefinition.set(definition, digest);
  }
  return digest;
}

function writtenIn(definition: Leaf | Domain | Scenario): unknown {
  const { kind, name } = definition;
  if (kind === 'leaf') {
    const { attempts, needs, question, sources, work, run, verify, recover, tools, instructions } = definition;
    // Keys in alphabetical order, for there are many leaves: so the digest needs no sorting. What few have is named only
    // where it is, so that the digests of the others stay as they are.
    return {
      attempts,
      code: [run, verify, recover].map(textOf),
      ...(instructions !== undefined && { instructions }),
      kind,
      name,
      needs,
      question,
      sources,
      ...(tools && { tools }),
      work,
    };
  }
  const { join, synthesize, execute } = definition;
  const code = [synthesize, execute].map(textOf);
  const adaptive = adaptiveOf(definition);
  if (kind === 'scenario') {
    const { domains, hooks = {} } = definition;
    const asked = [hooks.beforeSpawn, hooks.taskCompleted, hooks.nodeIdle].map(textOf);
    return { kind, name, join, code, hooks: asked, ...adaptive, children: domains.map(definitionDigest) };
  }
  const { charter, children, needs, question } = definition;
  return { kind, name, charter, needs, question, join, code, ...adaptive, children: children.map(definitionDigest) };
}

/** What few have is named only where it is, so that the digests of the others stay as they are. */
function adaptiveOf({ decide, relevance, reinvestigate }: Domain | Scenario): object {
  return {
    ...(decide && { decide: textOf(decide) }),
    ...(relevance && { relevance: writtenOf(relevance) }),
    ...(reinvestigate && {
      reinvestigate: writtenOf({ ...reinvestigate, leaves: reinvestigate.leaves?.map(definitionDigest) }),
    }),
  };
}
const writtenOf = (given: unknown): unknown => {
  if (typeof given === 'function') return textOf(given);
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, typeof value === 'function' ? textOf(value) : value]),
  );
};

// oxlint-disable-next-line typescript/no-unsafe-function-type -- whatever it takes and gives
const textOf = (code: Function | undefined): string | null => (code ? code.toString() : null);

/** `domains`: the root's children that were chosen, when not all of them. */
export function identifyIn(registry: ReadonlyMap<string, Entry>, domains: readonly string[] | undefined): Identify {
  return (task) => {
    const definition = registry.get(task.path)?.definition;
    if (!definition) return undefined;
    const { path, question, charter, asOf, grant, prior } = task;
    const own = definitionDigest(definition);
    // Keys in alphabetical order, and nothing but texts and lists of them: its JSON is its canonical JSON.
    const given = {
      asOf,
      charter,
      definition: own,
      ...(definition.kind !== 'leaf' && { depthLeft: grant.depthLeft }),
      ...(path === ROOT && { domains }),
      path,
      prior: prior.map(({ digest }) => digest),
      question,
    };
    return { definition: own, taskDigest: sha256(JSON.stringify(given)) };
  };
}
