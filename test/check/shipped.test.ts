import { globSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { check, type Scenario } from 'espalier';
import { observeReads } from 'espalier/testing';
import { entry, manifestOf, monthly, writtenFolder } from '../adapters/csv-folder/written-folder.ts';
import { messagesServer, type MessagesServer } from '../support/messages-server.ts';
import { obligingReply } from '../support/research-answers.ts';

const growing = monthly(Array.from({ length: 120 }, (_, i) => 100 + i + ((i * 7) % 5)));
const DATA = {
  'manifest.json': manifestOf(
    entry({ polarity: 1 }),
    entry({ id: 'hours', file: 'jobs.csv', polarity: 1 }),
    entry({ id: 'prices', domain: 'shares', file: 'jobs.csv', analyst: 'price', polarity: 1 }),
  ),
  'jobs.csv': growing,
};

async function loaded(file: string): Promise<Scenario> {
  const { default: given } = (await import(pathToFileURL(file).href)) as { default: unknown };
  if (typeof given !== 'function') return given as Scenario;
  const flags = file.includes('csv-folder') ? { data: writtenFolder(DATA) } : { thesis: 'Hold European railways' };
  return (await (given as (flags: object) => unknown)(flags)) as Scenario;
}
/** A rehearsal executes a scenario's own code, and this one's asks models and searches the web. */
const asksModels = (file: string): boolean => file.endsWith('thesis.ts');

/** What asks Claude asks this. */
let claude: MessagesServer;
beforeAll(async () => {
  claude = await messagesServer(({ body }) => obligingReply(body));
  vi.stubEnv('ANTHROPIC_BASE_URL', claude.url);
});
afterAll(() => {
  vi.unstubAllEnvs();
  return claude.close();
});

describe.each(globSync('scenarios/**/*.ts').sort())('%s', (file) => {
  test('leaves nothing to remark but notes', async () => {
    expect(check(await loaded(file)).filter(({ severity }) => severity !== 'note')).toEqual([]);
  });

  test.skipIf(asksModels(file))('nor when it is rehearsed', async () => {
    const scenario = await loaded(file);
    const observed = await observeReads(scenario);
    expect([...observed.values()].some(({ isWhole }) => isWhole)).toBe(true);
    expect(check(scenario, { observed }).filter(({ severity }) => severity !== 'note')).toEqual([]);
  });
});
