/** docs/telemetry.md names what the code says, all of it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ATTRIBUTE, BUCKETS, METRIC, RETENTION, SPAN_EVENT } from '../../../src/adapters/telemetry/names.ts';

const docs = readFileSync(new URL('../../../docs/telemetry.md', import.meta.url), 'utf8');
const quoted = new Set([...docs.matchAll(/`([^`\n]+)`/g)].map(([, name]) => name));

it.each(Object.values({ ...ATTRIBUTE, ...METRIC, ...SPAN_EVENT }))('%s is documented', (name) => {
  expect(quoted).toContain(name);
});

it.each(Object.values(RETENTION))('%s is documented', (name) => {
  const last = name.slice(name.lastIndexOf('.'));
  expect(quoted.has(name) || quoted.has(last)).toBe(true);
});

it.each(Object.entries(BUCKETS))('the buckets of %s are documented', (_, bounds) => {
  expect(docs.replace(/\s+/g, ' ')).toContain(bounds.join(', '));
});

it('documents no metric that there is not', () => {
  const rows = [...docs.matchAll(/^\| `(espalier\.[\w.]+)` +\| (?:histogram|counter)/gm)].map(([, name]) => name);
  expect(new Set(rows)).toEqual(new Set(Object.values(METRIC)));
});
