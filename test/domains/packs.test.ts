import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { company } from '../../domains/company/domain.ts';
import { macro } from '../../domains/macro/domain.ts';
import { sector } from '../../domains/sector/domain.ts';
import { NoEvidence } from '../../src/activities/source-reader.ts';
import { vegaDatasetIds, vegaDatasets } from '../../src/adapters/sources/vega-datasets.ts';
import type { Domain, LeafRun } from '../../src/define/spec.ts';
import type { SourceAdapter } from '../../src/ports/sources.ts';
import { FindingDraft, GapDraft } from '../../src/protocol/index.ts';
import { leafContext } from './leaf-context.ts';

const adapter = vegaDatasets();
const packs = [macro, sector, company];
const monthEnds = Array.from({ length: 60 }, (_, i) => new Date(Date.UTC(2006, i + 1, 0)).toISOString().slice(0, 10));

type Node = { name: string; sources: readonly string[]; run: LeafRun<unknown> };
const leavesOf = (pack: Domain): Node[] =>
  pack.children.map((child) => {
    if (child.kind !== 'leaf') throw new Error(`${child.name} is no leaf`);
    return { name: child.name, sources: child.sources ?? [], run: child.run };
  });
/** The pack with its depth spent: it may read what its children declare. */
function asLeaf(pack: Domain): Node {
  if (!pack.execute) throw new Error(`${pack.name} cannot execute`);
  return { name: pack.name, sources: leavesOf(pack).flatMap(({ sources }) => sources), run: pack.execute };
}

/** A leaf's answer, parsed as a host would. */
async function answerOf(node: Node, asOf: string, from: SourceAdapter = adapter) {
  try {
    const answer = await node.run(leafContext(from, node.sources, asOf));
    const drafts = [answer].flat();
    return {
      findings: drafts.filter((draft) => !('gap' in draft)).map((draft) => FindingDraft.parse(draft)),
      gaps: drafts.filter((draft) => 'gap' in draft).map((draft) => GapDraft.parse(draft)),
    };
  } catch (error) {
    if (error instanceof NoEvidence) return { findings: [], gaps: [{ gap: error.kind, why: error.why }] };
    throw error;
  }
}
const answersOf = (nodes: readonly Node[], asOf: string, from?: SourceAdapter) =>
  Promise.all(nodes.map((node) => answerOf(node, asOf, from)));

describe.each(packs.map((pack) => [pack.name, pack] as const))('%s', (name, pack) => {
  const leaves = leavesOf(pack);
  const nodes = [...leaves, asLeaf(pack)];

  test('every analyst has a name in kebab-case, a question, a description, and sources that exist', () => {
    expect(leaves.length).toBeGreaterThanOrEqual(3);
    expect(leaves.length).toBeLessThanOrEqual(5);
    for (const child of pack.children) {
      expect(child.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(child.question).toMatch(/\?$/);
      expect(child.description).toMatch(/\.$/);
    }
    for (const { sources } of leaves) expect(vegaDatasetIds).toEqual(expect.arrayContaining([...sources]));
  });

  test('the README names every analyst', () => {
    const readme = readFileSync(new URL(`../../domains/${name}/README.md`, import.meta.url), 'utf8');
    for (const leaf of leaves) expect(readme).toContain(`\`${leaf.name}\``);
  });

  test('as of June 2008 every analyst, and the pack as one leaf, has something to say', async () => {
    for (const { findings, gaps } of await answersOf(nodes, '2008-06-01')) {
      expect(findings.length).toBeGreaterThan(0);
      expect(gaps).toEqual([]);
      expect(new Set(findings.map(({ key }) => key)).size).toBe(findings.length);
      for (const { source } of findings) expect((source?.asOf ?? '') < '2008-06-01').toBe(true);
    }
  });

  test('every month-end of 2006 to 2010 gives findings or gaps, and never a number that is none', async () => {
    for (const asOf of monthEnds) {
      for (const { findings, gaps } of await answersOf(nodes, asOf)) {
        expect(findings.length + gaps.length).toBeGreaterThan(0);
        for (const { gap } of gaps) expect(['insufficient', 'stale']).toContain(gap);
      }
    }
  });

  test.each(['2006-01-31', '2007-11-01', '2008-06-01', '2009-03-15', '2010-12-31'])(
    'removing what was not yet known on %s changes no answer',
    async (asOf) => {
      const past: SourceAdapter = {
        async load(id, io) {
          const record = await adapter.load(id, io);
          return { ...record, observations: record.observations.filter(({ availableAt }) => availableAt <= asOf) };
        },
      };
      expect(await answersOf(nodes, asOf, past)).toEqual(await answersOf(nodes, asOf));
    },
  );
});

test('a series that begins later does not silence its neighbours', async () => {
  // Employment is known from March 2006 on, unemployment since 2000.
  const { findings, gaps } = await answerOf(asLeaf(macro), '2006-01-31');
  expect(findings.map(({ measure }) => measure)).toEqual(['unemployment']);
  expect(gaps).toEqual([{ gap: 'insufficient', why: expect.stringContaining('us-employment/nonfarm') }]);
});

test('in June 2008 builders are laid off at a critical rate while most of the shares still rise', async () => {
  const [economy, shares] = await Promise.all([
    answersOf(leavesOf(macro), '2008-06-01'),
    answersOf(leavesOf(company), '2008-06-01'),
  ]);
  const critical = economy.flatMap(({ findings }) => findings).filter((finding) => finding.critical);
  expect(critical.map(({ key, stance }) => [key, Math.sign(stance)])).toContainEqual(['construction', -1]);
  const trends = shares.flatMap(({ findings }) => findings).filter(({ measure }) => measure === 'trend');
  expect(trends.filter(({ stance }) => stance > 0)).toHaveLength(4);
});
