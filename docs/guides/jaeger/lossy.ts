/** The research run with a domain whose synthesis keeps the first finding and drops all others, for the guide. */
import { defineDomain, defineScenario, type Synthesizer } from 'espalier';
import { sector } from '../../../domains/sector/domain.ts';
import research from '../../../scenarios/us-tech-2008.ts';

const onlyTheFirst: Synthesizer = ({ children }) => {
  const findings = children.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.findings : []));
  return {
    narrative: '',
    dispositions: findings.map(({ id }, i) => (i === 0 ? { id, as: 'kept' } : { id, as: 'dropped', why: 'no room' })),
  };
};

export default defineScenario({
  ...research,
  name: 'lossy',
  domains: research.domains.map((child) =>
    child.name === 'sector' ? defineDomain({ ...sector, synthesize: onlyTheFirst }) : child,
  ),
});
