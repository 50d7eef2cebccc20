/**
 * A staged pipeline with feedback: gather → draft → (review → revise) × ROUNDS. For work that gains by criticism. Here a
 * draft explains unemployment in construction, each reviewer looks for one pattern in what is left unexplained, and a
 * revision takes up what they found. The tree is as long as ROUNDS says, so feedback cannot go round for ever.
 *
 *     npm run -s espalier -- run scenarios/shapes/staged-pipeline-with-feedback.ts
 *     npx node scenarios/shapes/staged-pipeline-with-feedback.ts
 */
import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { CONTEXT_FLAG, defineLeaf, defineScenario, NoEvidence, run, type Leaf, type LeafContext } from 'espalier';
import { vegaDatasets } from 'espalier/vega-datasets';
import { linearRegression, mean, variance } from 'simple-statistics';
import { z } from 'zod';

const ROUNDS = 3;
/** A pattern in a quarter of what is left is worth an objection; a term that takes off less than a twentieth is ballast. */
const [OBJECTION, BALLAST] = [1 / 4, 1 / 20];

const Values = z.array(z.number());
const Terms = z.array(z.enum(['trend', 'country', 'season']));
const Model = z.object({ terms: Terms, rest: Values, ballast: Terms });
type Term = z.infer<typeof Terms>[number];
type Model = z.infer<typeof Model>;

/** What a term leaves of `values`. */
const WITHOUT: Record<Term, (values: number[], country: number[]) => number[]> = {
  trend: (values) => withoutLine(values, [...values.keys()]),
  country: withoutLine,
  season: (values) => values.map((value, i) => value - mean(values.filter((_, j) => j % 12 === i % 12))),
};
function withoutLine(values: number[], cause: number[]): number[] {
  const { m, b } = linearRegression(values.map((value, i) => [cause[i] ?? 0, value]));
  return values.map((value, i) => value - m * (cause[i] ?? 0) - b);
}
const takenOff = (before: number[], after: number[]): number => 1 - variance(after) / variance(before);
const percent = (share: number): string => `${Math.round(100 * share)} %`;

const dataOf = <Data>({ task }: LeafContext, leaf: Leaf<Data>): Data[] =>
  leaf.dataOf(task.prior.flatMap(({ findings }) => findings));
/** What another leaf handed on. Without it there is nothing to say: a gap. */
function handedOn<Data>(context: LeafContext, leaf: Leaf<Data>): Data {
  const [data] = dataOf(context, leaf);
  if (data === undefined) throw new NoEvidence(`"${leaf.name}" handed nothing on`);
  return data;
}

const gather = (name: string, id: string): Leaf<number[]> =>
  defineLeaf({
    name,
    sources: [id],
    data: Values,
    async run({ sources }) {
      const { title, observations } = await sources.series(id);
      const data = observations.map(({ value }) => value);
      return { statement: `${title}: ${data.length} months`, data, flags: [CONTEXT_FLAG] };
    },
  });
const construction = gather('construction', 'unemployment/construction');
const country = gather('country', 'unemployment/all');

/** The draft, no more than the mean; or a revision of the model `of` by what its reviewers object to. */
const explain = (name: string, of?: Leaf<Model>, reviewers: readonly Leaf<Term[]>[] = []): Leaf<Model> =>
  defineLeaf({
    name,
    needs: [construction, country, ...(of ? [of] : []), ...reviewers].map((leaf) => leaf.name),
    data: Model,
    run(context) {
      const [values, cause] = [handedOn(context, construction), handedOn(context, country)];
      const without = (terms: readonly Term[]) => terms.reduce((left, term) => WITHOUT[term](left, cause), values);
      // A reviewer that failed objects to nothing; the brief names it.
      const objections = reviewers.flatMap((reviewer) => dataOf(context, reviewer)).flat();
      const refused = context.task.enrichments.join();
      const proposed = new Set([...(of ? handedOn(context, of).terms : []), ...objections]);
      const terms = [...proposed].filter((term) => !refused.includes(`"${term}"`));
      const rest = without(terms);
      const ballast = terms.filter((term) => takenOff(without(terms.filter((one) => one !== term)), rest) < BALLAST);
      const explained = takenOff(values, rest);
      return {
        statement: `${['mean', ...terms].join(' + ')} explains ${percent(explained)}`,
        value: explained,
        stance: terms.includes('trend') ? -explained : explained,
        flags: name === `revise-${ROUNDS}` ? [] : [CONTEXT_FLAG],
        data: { terms, rest, ballast },
      };
    },
    // The inner feedback: a model with ballast goes back with its name, and the next attempt is told.
    attempts: 3,
    verify([model]) {
      const ballast = Model.safeParse(model?.data).data?.ballast[0];
      if (ballast === undefined) return { ok: true };
      return { ok: false, why: `"${ballast}" is ballast beside the other terms` };
    },
  });

/** Sees the model and what it looks for: neither how the model came about, nor what the other reviewers say. */
const review = (term: Term, round: number, of: Leaf<Model>): Leaf<Term[]> =>
  defineLeaf({
    name: `${term}-${round}`,
    needs: term === 'country' ? [of.name, country.name] : [of.name],
    data: Terms,
    run(context) {
      const { rest } = handedOn(context, of);
      const share = takenOff(rest, WITHOUT[term](rest, term === 'country' ? handedOn(context, country) : []));
      const statement = `${term} is ${percent(share)} of what ${of.name} leaves`;
      return { statement, value: share, flags: [CONTEXT_FLAG], data: share >= OBJECTION ? [term] : [] };
    },
  });

const children: Leaf[] = [construction, country];
let model = explain('draft');
for (let round = 1; round <= ROUNDS; round++) {
  const of = model;
  const reviewers = (['trend', 'country', 'season'] as const).map((term) => review(term, round, of));
  model = explain(`revise-${round}`, of, reviewers);
  children.push(of, ...reviewers);
}
children.push(model);

const scenario = defineScenario({
  name: 'staged-pipeline-with-feedback',
  description: 'Gather, draft, and rounds of review and revision.',
  thesis: 'Unemployment in construction follows the country and the season, without a trend of its own',
  domains: children,
  sources: vegaDatasets(),
  limits: { maxDepth: 1, deadline: '1m' },
});

export default scenario;

// Run as a script, not imported.
const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  const { brief } = await run(scenario);
  for (const { path, statement } of brief.findings) console.log(`${path}: ${statement}`);
}
