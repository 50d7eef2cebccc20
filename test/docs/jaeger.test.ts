import { readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import lossy from '../../docs/guides/jaeger/lossy.ts';
import { run } from '../../src/index.ts';
import { recorder } from '../adapters/telemetry/recorder.ts';

const guide = readFileSync('docs/guides/jaeger.md', 'utf8');

test('the lossy run of the guide to Jaeger loses what the guide says, and where', async () => {
  const { telemetry, steps, values } = recorder();
  const { status } = await run(lossy, { telemetry });
  expect(status).toBe('complete');
  const synthesis = steps('root/sector').find(({ name }) => name === 'synthesis');
  expect(synthesis?.attributes).toMatchObject({
    'espalier.retention.incoming': 9,
    'espalier.retention.kept': 3,
    'espalier.retention.dropped': 6,
    'espalier.retention.recall': expect.closeTo(0.78, 2),
    'espalier.retention.numbers_kept': expect.closeTo(0.32, 2),
    'espalier.retention.verbatim': 1,
  });
  const lost = await values('espalier.synthesis.lost', 'gen_ai.agent.name');
  expect(lost).toEqual({ sector: expect.closeTo(2, 1), root: expect.closeTo(0.2, 1) });
});

test('its pictures are there, and small', () => {
  const pictures = Array.from(guide.matchAll(/!\[[^\]]+\]\(([^)]+\.png)\)/g), ([, file = '']) => file);
  expect(pictures).toHaveLength(6);
  for (const file of pictures) expect(statSync(`docs/guides/${file}`).size).toBeLessThan(150_000);
});

test('it speaks of attributes that there are', () => {
  const listed = readFileSync('docs/telemetry.md', 'utf8');
  const named = new Set(Array.from(guide.matchAll(/`((?:espalier|gen_ai)\.[a-z_.]+)/g), ([, name = '']) => name));
  expect(named.size).toBeGreaterThan(4);
  for (const name of named) expect(listed).toContain(`\`${name}\``);
});
