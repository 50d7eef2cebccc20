import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ANTHROPIC_MODELS } from '../../src/adapters/models/anthropic-options.ts';
import { modelsOf } from '../../src/define/models.ts';
import type { ModelWork, PolicyName } from '../../src/ports/model.ts';
import { formatUsd } from '../../src/render/figures.ts';
import { plan } from '../../src/runtime/plan.ts';
import thesisScenario from '../../scenarios/thesis.ts';
import { scriptedModel } from '../../src/testing/scripted-model.ts';

const guide = readFileSync('docs/guides/claude.md', 'utf8');
/** The cells of a table's rows, by its first heading. */
function rowsUnder(heading: string): string[][] {
  const lines = guide.split('\n');
  const head = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  const end = lines.findIndex((line, i) => i > head && !line.startsWith('|'));
  return lines.slice(head + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
const whole = (amount: number): string => amount.toLocaleString('en-US');

test('the guide to Claude has the costs of a thesis as a plan computes them', () => {
  const rows = rowsUnder('policy');
  expect(rows).toHaveLength(3);
  for (const [name = '', ...figures] of rows) {
    const policy = name.replaceAll('`', '') as PolicyName;
    const { cost } = plan(thesisScenario({ thesis: 'Hold European railways' }), { policy });
    if (!cost) throw new Error('no cost');
    const { calls, inputTokens, outputTokens, webSearches, usd } = cost;
    expect(figures).toEqual([...[calls, inputTokens, outputTokens, webSearches].map(whole), formatUsd(usd)]);
  }
});

test('the guide to Claude has the default policy as the code has it', () => {
  const models = modelsOf({ adapter: { ...scriptedModel(() => ''), models: ANTHROPIC_MODELS } });
  const rows = rowsUnder('work');
  const kinds = rows.flatMap(([work = '', chosen = '', model = '']) =>
    work.split(', ').map((kind) => ({ kind: kind.replaceAll('`', ''), chosen: chosen.replaceAll('`', ''), model })),
  );
  expect(kinds).toHaveLength(7);
  for (const { kind, chosen, model } of kinds) {
    const choice = models.choiceFor(kind as ModelWork);
    expect([chosen, model]).toEqual([choice.class, [`\`${choice.model}\``, choice.effort].filter(Boolean).join(', ')]);
  }
});
