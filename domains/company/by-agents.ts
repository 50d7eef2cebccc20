import { defineDomain } from 'espalier';
import { agentsIn, inTurn, synthesizeByModel } from 'espalier/agents';

/** They read long pages, or write: it takes a bigger share of the budget. */
const DEEP = { weight: 2 };

const agents = agentsIn(new URL('./agents/', import.meta.url), { 'risk-analyst': DEEP, 'earnings-analyst': DEEP });

/** For any thesis: agents that search the web, each defined in `agents/`, and a synthesis by a model. */
export const companyByAgents = defineDomain({
  name: 'company',
  description: 'Whether results, price and risks of the companies carry the thesis.',
  question: 'Do the companies behind the thesis speak for or against it?',
  charter: 'The companies that stand for the thesis: their results, what is paid for them, what could break them.',
  children: agents,
  execute: inTurn(agents),
  synthesize: synthesizeByModel(),
});
