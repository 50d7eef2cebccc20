/** Sub-domains that nobody declared: a decision makes them, and from the decision alone they can be made again. */
import { stagesOf } from '../define/stages.ts';
import type { Child, Domain, Scenario } from '../define/spec.ts';
import type { ChildSpec, Decision } from '../protocol/decision.ts';
import type { Entry, Registry } from './registry.ts';

export type MadeBy = Domain | Scenario;
export const childrenOf = (parent: MadeBy): readonly Child[] =>
  parent.kind === 'scenario' ? parent.domains : parent.children;

/** All that a decision keeps of a sub-domain. */
export type SubDomain = Required<Pick<ChildSpec, 'name' | 'charter' | 'question' | 'members'>>;

/** The sub-domain as if it had been declared, with its parent's join and synthesis; undefined when a member is gone. */
export function subDomainOf(parent: MadeBy, { name, charter, question, members }: SubDomain): Domain | undefined {
  const byName = new Map(childrenOf(parent).map((child) => [child.name, child]));
  const children = members.flatMap((member) => byName.get(member) ?? []);
  const names = new Set(members);
  if (children.length < names.size) return undefined;
  if (children.some(({ needs = [] }) => needs.some((need) => !names.has(need)))) return undefined;
  const { join, synthesize } = parent;
  return {
    kind: 'domain',
    name,
    charter,
    question,
    children,
    stages: stagesOf(`Sub-domain "${name}"`, children),
    ...(join && { join }),
    ...(synthesize && { synthesize }),
  };
}

/** Makes known what `decision` has made under `parent`. */
export function adopt(registry: Registry, parent: Entry | undefined, decision: Pick<Decision, 'stages'>): void {
  if (!parent || parent.definition.kind === 'leaf') return;
  const { definition } = parent;
  for (const stage of decision.stages) {
    const made = stage.flatMap(({ name, charter = '', question = parent.question, members }) =>
      members ? (subDomainOf(definition, { name, charter, question, members }) ?? []) : [],
    );
    if (made.length > 0) registry.grow(parent, made);
  }
}

/** Whether a plan's answer, not parsed yet, seems to make a sub-domain. */
export function isMaking(answer: unknown): boolean {
  const stages = typeof answer === 'object' && answer !== null && 'stages' in answer ? answer.stages : undefined;
  if (!Array.isArray(stages)) return false;
  return stages.some(
    (stage: unknown) =>
      Array.isArray(stage) &&
      stage.some((child: unknown) => typeof child === 'object' && child !== null && 'members' in child),
  );
}
