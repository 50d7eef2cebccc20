import { defineDomain } from 'espalier';
import { agentsIn, inTurn, synthesizeByModel } from 'espalier/agents';

/** They read long pages, or write: it takes a bigger share of the budget. */
const DEEP = { weight: 2 };

const agents = agentsIn(new URL('./agents/', import.meta.url), {
  'competition-analyst': DEEP,
  'technology-analyst': DEEP,
});

/** For any thesis: agents that search the web, each defined in `agents/`, and a synthesis by a model. */
export const sectorByAgents = defineDomain({
  name: 'sector',
  description: 'Whether demand, competition and technology carry the thesis.',
  question: 'Does the state of the sector speak for or against the thesis?',
  charter: 'The sector that the thesis is about: its demand, its rivalry, its technology.',
  children: agents,
  execute: inTurn(agents),
  synthesize: synthesizeByModel(),
});
