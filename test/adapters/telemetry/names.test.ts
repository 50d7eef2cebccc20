/** docs/telemetry.md names what the code says, all of it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  ATTRIBUTE,
  BUCKETS,
  CONTENT,
  METRIC,
  RETENTION,
  SPAN,
  SPAN_EVENT,
  TIME,
} from '../../../src/adapters/telemetry/names.ts';

const docs = readFileSync(new URL('../../../docs/telemetry.md', import.meta.url), 'utf8');
const quoted = new Set([...docs.matchAll(/`([^`\n]+)`/g)].map(([, name]) => name));

const valuesOf = (...names: Readonly<Record<string, string>>[]): string[] => names.flatMap(Object.values<string>);
const last = (name: string): string => name.slice(name.lastIndexOf('.'));

it.each(valuesOf(ATTRIBUTE, METRIC, SPAN_EVENT, CONTENT, RETENTION, TIME))('%s is documented', (name) => {
  expect(quoted.has(name) || quoted.has(last(name))).toBe(true);
});

it.each(Object.values(SPAN))('the span %s is documented', (name) => {
  expect(docs).toMatch(new RegExp(`^\\| \`${name}( \\w+)?\` `, 'm'));
});

it.each(Object.entries(BUCKETS))('the buckets of %s are documented', (_, bounds) => {
  expect(docs.replace(/\s+/g, ' ')).toContain(bounds.join(', '));
});

it('documents no metric that there is not', () => {
  const rows = [...docs.matchAll(/^\| `(espalier\.[\w.]+)` +\| (?:histogram|counter|up-down)/gm)].map(
    ([, name]) => name,
  );
  expect(new Set(rows)).toEqual(new Set(Object.values(METRIC)));
});

it('documents no attribute that there is not', () => {
  const known = new Set(valuesOf(ATTRIBUTE, CONTENT, METRIC, SPAN_EVENT, RETENTION, TIME));
  const named = [...quoted].filter((name) => /^(espalier|gen_ai)\.[\w.]+$/.test(name ?? ''));
  expect(named.filter((name) => !known.has(name ?? ''))).toEqual([]);
});
