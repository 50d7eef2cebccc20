import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/errors.ts';
import { checkDomains, checkScenario, limitsFor } from '../../src/runtime/limits.ts';
import { plan } from '../../src/runtime/plan.ts';
import { tree } from '../support/world.ts';

const scenario = tree([2, 1]);
const NO_KEY = 'The option signingKey is no Ed25519 private key. Give one that createPrivateKey returns.';
const RUN_ID =
  'which cannot name a folder. Use 1 to 128 letters of a to z, digits, "-", "_" or ".", not starting with ".".';
const SCENARIO = 'Give what defineScenario returns.';
const THESIS = 'Say in a sentence what is to be examined, or leave it out.';
const CHOICE = 'Choose from "d0", "d1".';

describe('what a run is given', () => {
  it.each<[unknown, string]>([
    [undefined, `The scenario to run is undefined. ${SCENARIO}`],
    [null, `The scenario to run is null. ${SCENARIO}`],
    ['tech', `The scenario to run is the text "tech". ${SCENARIO}`],
    [{ name: 'tech', thesis: 'x', domains: [] }, `The scenario to run is an object. ${SCENARIO}`],
    [scenario.domains[0], `The scenario to run is a domain. ${SCENARIO}`],
  ])('is a scenario: %#', (given, message) => {
    for (const check of [checkScenario, plan]) {
      expect(() => check(given as never)).toThrow(new EspalierError('invalid-input', message));
    }
  });

  it.each<[unknown, string]>([
    [null, 'The options are null. Give an object, or leave them out.'],
    ['2008-06-01', 'The options are the text "2008-06-01". Give an object, or leave them out.'],
    [{ thesis: '' }, `The option thesis is the text "". ${THESIS}`],
    [{ thesis: ' \n' }, `The option thesis is the text " \\n". ${THESIS}`],
    [{ thesis: 3 }, `The option thesis is 3. ${THESIS}`],
    [{ asOf: 'today' }, 'The as-of date "today" is not a calendar date. Write it as YYYY-MM-DD.'],
    ...['../../x', '', '.', '..', '.x', 'a/b', 'a\\b', 'a b', 'ä', 'a\n', 'C:'].map((runId): [unknown, string] => [
      { runId },
      `The option runId is the text ${JSON.stringify(runId)}, ${RUN_ID}`,
    ]),
    [{ runId: 'x'.repeat(129) }, `The option runId is the text "${'x'.repeat(60)}…", ${RUN_ID}`],
    [{ runId: 7 }, `The option runId is 7, ${RUN_ID}`],
    [{ domains: 'd0' }, 'The option domains is the text "d0". Give a list of names: ["a", "b"].'],
    [{ domains: [0] }, 'The option domains is a list. Give a list of names: ["a", "b"].'],
    [{ domains: null }, 'The option domains is null. Give a list of names: ["a", "b"].'],
    [{ store: 'runs.db' }, 'The option store is the text "runs.db". Give what memoryStore or sqliteStore returns.'],
    [{ signingKey: 'key.pem' }, NO_KEY],
    [{ signingKey: null }, NO_KEY],
    [{ signingKey: generateKeyPairSync('ed25519').publicKey }, NO_KEY],
    [{ signingKey: generateKeyPairSync('x25519').privateKey }, NO_KEY],
    [{ domains: [] }, `No domain of scenario "tree" is chosen. ${CHOICE}`],
    [{ domains: ['d0', 'd2'] }, `There is no domain "d2" in scenario "tree". ${CHOICE}`],
  ])('are options that can be read: %#', (options, message) => {
    for (const check of [checkScenario, plan]) {
      expect(() => check(scenario, options as never)).toThrow(new EspalierError('invalid-input', message));
    }
  });

  it.each(['a', 'V1StGXR8_Z5jdHi6B-myT', '2008-06-01.1', '_', '-', 'x'.repeat(128)])('may be called %s', (runId) => {
    expect(() => checkScenario(scenario, { runId, thesis: 'x', asOf: '2008-06-01', domains: ['d1'] })).not.toThrow();
  });

  it('names a limit of the wrong type', () => {
    expect(() => limitsFor(scenario, { maxDepth: '2' as never })).toThrow(
      new EspalierError('invalid-input', 'The limit maxDepth is the text "2". Give a whole number of at least 0.'),
    );
  });

  it('takes each dimension of a budget from the options, or else from the scenario', () => {
    const budgeted = tree([1], { scenario: { limits: { budget: { usd: 1, leaves: 4 } } } });
    expect(limitsFor(budgeted, { budget: { usd: 2 } }).budget).toEqual({ usd: 2, leaves: 4 });
    expect(limitsFor(scenario, {}).budget).toEqual({});
    expect(() => limitsFor(budgeted, { budget: 5 as never })).toThrow('The limit budget is 5.');
  });

  it('is told a few of many domains, the likeliest first if somebody ranks them', () => {
    const wide = tree([100]);
    expect(() => checkDomains(wide, ['x'])).toThrow(/Choose from "l0", (?:"l\d", ){6}"l7" and 92 more\.$/);
    expect(() => checkDomains(wide, ['x'], () => ['l42'])).toThrow(/Choose from "l42" and 99 more\.$/);
  });
});
