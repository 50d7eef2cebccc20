/** One tree of work, done three ways: as a scenario, through p-queue, and as nested promises. They share the leaves. */
import PQueue from 'p-queue';
import { defineDomain, defineLeaf, defineScenario, run, type Child, type FindingDraft, type Scenario } from 'espalier';

/** `[10, 100]`: a root over 10 domains of 100 leaves; `[100]`: 100 leaves under the root. */
export type Widths = readonly number[];
export type Leaf = { name: string; work: () => Promise<FindingDraft> };
export type Branch = { name: string; children: readonly (Leaf | Branch)[] };

/** As the scenario's limit has it by default. */
export const CONCURRENCY = 10;

export const leavesIn = (widths: Widths): number => widths.reduce((product, width) => product * width, 1);
export const shapeOf = (widths: Widths): string => (widths.length === 1 ? `flat ${widths[0]}` : widths.join(' × '));

const oneFinding = (name: string) => async (): Promise<FindingDraft> => ({
  statement: `Said by ${name}`,
  stance: 0.5,
  confidence: 0.8,
});

/** `prefix` makes the names of one tree differ from another's. */
export function treeOf(widths: Widths, workOf: (name: string) => Leaf['work'] = oneFinding, prefix = ''): Branch {
  const branch = (name: string, [width = 0, ...below]: Widths): Branch => ({
    name,
    children: Array.from({ length: width }, (_, i) =>
      below.length > 0 ? branch(`${prefix}d${i}`, below) : { name: `${prefix}l${i}`, work: workOf(`${prefix}l${i}`) },
    ),
  });
  return branch('root', widths);
}

export function scenarioOf(tree: Branch, limits: { maxDepth: number; concurrency?: number }): Scenario {
  const childOf = (node: Leaf | Branch): Child =>
    'work' in node
      ? defineLeaf({ name: node.name, run: node.work })
      : defineDomain({ name: node.name, charter: node.name, children: node.children.map(childOf) });
  return defineScenario({
    name: 'bench',
    thesis: 'It holds',
    domains: tree.children.map(childOf),
    limits: { concurrency: CONCURRENCY, ...limits },
  });
}

export async function throughEspalier(scenario: Scenario, leaves: number): Promise<void> {
  const { status, brief } = await run(scenario);
  if (status === 'complete' && brief.usage.subtree.leaves === leaves) return;
  throw new Error(`of ${leaves} leaves ${brief.usage.subtree.leaves} reported: ${JSON.stringify(brief.gaps[0])}`);
}

export async function throughQueue(branch: Branch, queue: PQueue): Promise<FindingDraft[]> {
  const answers = branch.children.map((child) =>
    'work' in child ? queue.add(child.work) : throughQueue(child, queue),
  );
  return (await Promise.all(answers)).flat();
}
export const newQueue = (): PQueue => new PQueue({ concurrency: CONCURRENCY });

export async function throughPromises(branch: Branch): Promise<FindingDraft[]> {
  const answers = branch.children.map((child) => ('work' in child ? child.work() : throughPromises(child)));
  return (await Promise.all(answers)).flat();
}
