/**
 * Data of one's own, without code: a folder of CSV files with a manifest makes a leaf per series and a domain per
 * domain. How to write such a folder: docs/guides/own-data.md.
 *
 *     npm run -s espalier -- run scenarios/csv-folder.ts --data DIR --as-of 2020-05-01 --thesis "Hold US equities"
 *
 * 1. Polarities vote only for the thesis that the manifest names. For another one every series is context, and the
 *    brief says why no conviction was formed.
 * 2. The tree has the depth that the folder asks for: few series of a domain are one leaf, many are divided into
 *    sub-domains.
 * 3. Each series is read on its own: one that cannot be read is a gap, and silences no other.
 */
import {
  byComplexity,
  CONTEXT_FLAG,
  defineDomain,
  defineLeaf,
  defineScenario,
  EspalierError,
  NoEvidence,
} from 'espalier';
import type { ComplexityOptions, Domain, FindingDraft, GapDraft, Leaf, LeafContext, Scenario } from 'espalier';
import { drawdown, growth, priceTrend, unemployment, yieldCurve } from 'espalier/analytics';
import type { Analysis, AnalystOptions, Polarity, Series } from 'espalier/analytics';
import { csvFolder, type CsvManifest, type CsvSeries } from 'espalier/csv-folder';

type Flags = {
  readonly data?: string;
  readonly thesis?: string;
  /** A domain of at most so many series is one leaf. Default 2. */
  readonly fewest?: number;
  /** A domain of more series than this is divided into sub-domains. Default 12. */
  readonly most?: number;
};
type Answer = FindingDraft | GapDraft;
/** A series under the name of its leaf, with the polarity that it has for this run's thesis. */
type Voice = CsvSeries & { readonly leaf: string; readonly polarity: Polarity };
type Group = { readonly name: string; readonly title: string; readonly voices: readonly Voice[] };

/**
 * Makes the scenario of a folder. The thesis is the manifest's own unless another is given: here, since whether the
 * polarities serve it is decided before the run.
 */
export default async function csvFolderScenario(flags: Flags): Promise<Scenario> {
  const { data, thesis: given, fewest = 2, most = 12 } = flags;
  if (data === undefined) throw misuse('This scenario has no data of its own. Give --data DIR, with a manifest.json.');
  const { manifest, adapter } = await csvFolder(data);
  const thesis = given ?? manifest.thesis;
  if (thesis === undefined) throw misuse(`The manifest in ${data} names no thesis. Give one with --thesis.`);

  const silence = silenceOn(thesis, manifest);
  const nameGroup = nodeNames();
  const groups = groupsOf(manifest, nameGroup, silence !== undefined);
  const domains: (Domain | Leaf)[] = groups.map((group) => domainOf(group, silence, { fewest, most }));
  const isDivided = groups.some(({ voices }) => voices.length > most);
  // First, so that its gap is the first that a reader sees.
  if (silence !== undefined) domains.unshift(polaritiesLeaf(nameGroup('polarities'), silence));
  return defineScenario({
    name: 'csv-folder',
    description: 'What the series of a folder say about a thesis.',
    thesis,
    domains,
    sources: adapter,
    limits: { maxDepth: isDivided ? 3 : 2, deadline: '8m', concurrency: 10 },
    // With no depth at all the root does everything itself.
    async execute(context) {
      const answers = silence === undefined ? [] : unvoiced(silence);
      for (const { name, voices } of groups) answers.push(...(await analyseAll(context, voices, name)));
      return answers;
    },
  });
}

/** Why nothing may vote on this thesis; undefined when the manifest's polarities are meant for it. */
function silenceOn(thesis: string, { thesis: served, series }: CsvManifest): string | undefined {
  if (served === undefined) return 'the manifest does not say which thesis its polarities serve';
  if (normalised(served) !== normalised(thesis)) {
    return `the polarities of the manifest serve the thesis "${served}", not this one`;
  }
  return series.every(({ polarity }) => polarity === 0) ? 'no series of the manifest has a polarity' : undefined;
}

/** Letter case, spaces and what ends the sentence make no other thesis. */
const normalised = (thesis: string): string =>
  thesis
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\s+/g, ' ')
    .replace(/[\s.!?]+$/, '')
    .trimStart();

function groupsOf({ series }: CsvManifest, nameGroup: (title: string) => string, isSilent: boolean): Group[] {
  const nameLeaf = nodeNames();
  return [...Map.groupBy(series, ({ domain }) => domain)].map(([title, members]) => ({
    name: nameGroup(title),
    title,
    voices: members.map((each) => ({ ...each, leaf: nameLeaf(each.id), polarity: isSilent ? 0 : each.polarity })),
  }));
}

const LONGEST_NAME = 80;

/** Names for nodes from ids that hold anything: what cannot be part of a path becomes "-", and no name comes twice. */
function nodeNames(): (text: string) => string {
  const taken = new Set<string>();
  return (text) => {
    const safe = text.replaceAll(/[^\p{L}\p{N}_.\- ]+/gu, '-').replace(/^[^\p{L}\p{N}_]+/u, '');
    const base = Array.from(safe).slice(0, LONGEST_NAME).join('').trimEnd() || 'unnamed';
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
    taken.add(name);
    return name;
  };
}

/** Polarities that nobody may count: a finding to quote and a gap to see. */
function unvoiced(silence: string): Answer[] {
  const why = `No conviction was formed: ${silence}`;
  const source = { kind: 'manifest', ref: 'manifest.json' };
  return [
    { key: 'no-conviction', statement: why, confidence: 1, flags: [CONTEXT_FLAG], source },
    { gap: 'insufficient', why },
  ];
}

const polaritiesLeaf = (name: string, silence: string): Leaf =>
  defineLeaf({
    name,
    description: 'Whether the polarities of the manifest are meant for this thesis.',
    question: 'Do the polarities of the manifest serve this thesis?',
    work: 'rules',
    estimate: '10ms',
    run: () => unvoiced(silence),
  });

function domainOf({ name, title, voices }: Group, silence: string | undefined, sizes: ComplexityOptions): Domain {
  const asks = `What do the series of "${title}" say`;
  return defineDomain({
    name,
    description: `The series that the manifest puts under "${title}".`,
    question: silence === undefined ? `${asks} about the thesis?` : `${asks}? None of them votes: ${silence}.`,
    charter: `The series of "${title}". A rise of one supports the thesis where its polarity is +1, hurts it at -1, and is context at 0.`,
    children: voices.map(leafOf),
    execute: (context) => analyseAll(context, voices),
    decide: byComplexity(sizes),
  });
}

const leafOf = (voice: Voice): Leaf =>
  defineLeaf({
    name: voice.leaf,
    description: `${voice.title} (${voice.id}), read for: ${voice.analyst}.`,
    question: `What does ${voice.title} say?`,
    work: 'rules',
    sources: [voice.id],
    estimate: '100ms',
    // A file that is broken now is still broken at the next attempt.
    attempts: 1,
    run: (context) => analyse(context, voice),
  });

async function analyse(context: LeafContext, { id, analyst, polarity }: Voice): Promise<Analysis[]> {
  const series = await context.sources.series(id);
  return analystsOf(analyst, id).map((read) => read(series, { polarity }));
}

/**
 * What the leaves would say, said by one node in their place. One after another, so that no thousand files are open at
 * once. Gaps are about `child`, or else about the leaf.
 */
async function analyseAll(context: LeafContext, voices: readonly Voice[], child?: string): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const voice of voices) {
    const said = await analyse(context, voice).catch((error: unknown): Answer[] => {
      context.abortSignal.throwIfAborted();
      if (error instanceof NoEvidence) return [{ gap: error.kind, why: error.why }];
      return [{ gap: 'undone', why: error instanceof Error ? error.message : String(error) }];
    });
    for (const answer of said) {
      if ('gap' in answer) answers.push({ ...answer, child: child ?? voice.leaf });
      else answers.push({ ...answer, key: `${voice.leaf}.${answer.key}` });
    }
  }
  return answers;
}

type Analyst = (series: Series, options: AnalystOptions) => Analysis;

/** The 10-year yield less a short one, by the ids of FRED: what the recession probability was estimated on. */
const YIELD_CURVE = /^T10Y(?:3M|FF)M?$/;

function analystsOf(analyst: CsvSeries['analyst'], id: string): readonly Analyst[] {
  switch (analyst) {
    case 'growth':
      return [growth];
    case 'labour':
      return [unemployment];
    case 'price':
      return [priceTrend, drawdown];
    case 'yield-curve':
      return [yieldCurve];
    case 'spread':
      return [YIELD_CURVE.test(id) ? yieldCurve : level];
  }
}

const FEWEST_FOR_LEVEL = 24;
const LEVEL_FIT = 0.7;

/** The share of its own history that the latest value lies above, for a spread that is no yield curve. Never critical. */
function level(series: Series, { polarity }: AnalystOptions): Analysis {
  const { title, unit, last, observations, staleMonths } = series;
  const count = observations.length;
  if (series.isStale) return { gap: 'stale', why: `last observation ${last.date} of ${title}` };
  if (count < FEWEST_FOR_LEVEL) {
    return { gap: 'insufficient', why: `${title}: ${count} observations, needs ${FEWEST_FOR_LEVEL}` };
  }
  const below = observations.filter(({ value }) => value < last.value).length;
  const equal = observations.filter(({ value }) => value === last.value).length;
  const rank = (below + equal / 2) / count;
  return {
    key: 'level',
    measure: 'level',
    statement: `${title} (${last.date}): ${`${last.value} ${unit}`.trim()}, above ${Math.round(100 * rank)} % of its own history`,
    value: last.value,
    unit,
    stance: polarity * (2 * rank - 1) + 0,
    confidence: (count / (count + 24)) * 2 ** (-staleMonths / 3) * LEVEL_FIT,
    flags: polarity === 0 ? [CONTEXT_FLAG] : [],
    source: { ...series.source, asOf: last.date },
  };
}

const misuse = (message: string): EspalierError => new EspalierError('invalid-input', message);
