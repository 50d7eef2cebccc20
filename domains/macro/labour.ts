import { defineLeaf } from 'espalier';
import { growth, unemployment } from 'espalier/analytics';
import { analyseEach } from '../known-series.ts';

/** Rising unemployment precedes falling demand. */
export const labourMarket = defineLeaf({
  name: 'labour-market',
  description:
    'Whether unemployment over all industries is rising, by a Sahm-type rule on changes from a year earlier.',
  question: 'Is the labour market turning down?',
  work: 'rules',
  sources: ['unemployment/all'],
  run: async ({ sources }) => unemployment(await sources.series('unemployment/all'), { polarity: -1 }),
});

export const payrolls = defineLeaf({
  name: 'payrolls',
  description: 'Growth of nonfarm employment against its own history, with its inflection and structural breaks.',
  question: 'Is employment growing, and is its growth picking up or fading?',
  work: 'rules',
  sources: ['us-employment/nonfarm'],
  run: async ({ sources }) => growth(await sources.series('us-employment/nonfarm'), { polarity: 1 }),
});

const CYCLICAL_JOBS = ['us-employment/construction', 'us-employment/manufacturing'];
/** Builders and factories shed jobs first. */
export const cyclicalJobs = defineLeaf({
  name: 'cyclical-jobs',
  description: 'Growth of employment in construction and in manufacturing, which turn before the rest.',
  question: 'Do the industries that lead the cycle still hire?',
  work: 'rules',
  sources: CYCLICAL_JOBS,
  run: (context) =>
    analyseEach(
      context,
      CYCLICAL_JOBS.map((id) => [id, (series) => growth(series, { polarity: 1, key: keyOf(id) })]),
    ),
});

const CYCLICAL_UNEMPLOYMENT = ['unemployment/construction', 'unemployment/manufacturing'];
export const cyclicalUnemployment = defineLeaf({
  name: 'cyclical-unemployment',
  description: 'Unemployment in construction and in manufacturing against a year earlier.',
  question: 'Are the industries that lead the cycle laying off?',
  work: 'rules',
  sources: CYCLICAL_UNEMPLOYMENT,
  run: (context) =>
    analyseEach(
      context,
      CYCLICAL_UNEMPLOYMENT.map((id) => [id, (series) => unemployment(series, { polarity: -1, key: keyOf(id) })]),
    ),
});

/** Two findings of one measure need two keys: the part of the id after the slash. */
const keyOf = (id: string): string => id.slice(id.indexOf('/') + 1);
