import { defineDomain } from 'espalier';
import { agentsIn, inTurn, synthesizeByModel } from 'espalier/agents';

/** They read long pages, or write: it takes a bigger share of the budget. */
const DEEP = { weight: 2 };

const agents = agentsIn(new URL('./agents/', import.meta.url), { 'policy-analyst': DEEP });

/** For any thesis: agents that search the web, each defined in `agents/`, and a synthesis by a model. */
export const macroByAgents = defineDomain({
  name: 'macro',
  description: 'Whether growth, rates and policy carry the thesis.',
  question: 'Do the economies behind the thesis speak for or against it?',
  charter: 'The economies that the thesis depends on: growth, the price of money, public policy.',
  children: agents,
  execute: inTurn(agents),
  synthesize: synthesizeByModel(),
});
