import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqliteStore } from '../../src/adapters/stores/sqlite-store.ts';
import { openOutDir } from '../../src/cli/out-dir.ts';
import { espalier } from '../../src/cli/program.ts';
import { readSigningKey } from '../../src/cli/signing-key.ts';
import { start } from '../../src/runtime/in-process/start.ts';
import { fingerprintOf } from '../../src/runtime/record/signature.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { CRITICAL, draft, never, tree } from '../support/world.ts';
import { runEspalier, TINY, workspace } from './command.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const pem = (key: KeyObject, type: 'pkcs8' | 'spki'): string => key.export({ type, format: 'pem' } as never).toString();
const at = workspace({
  'key.pem': pem(privateKey, 'pkcs8'),
  'pub.pem': pem(publicKey, 'spki'),
  'other.pem': pem(generateKeyPairSync('ed25519').publicKey, 'spki'),
  'x25519.pem': pem(generateKeyPairSync('x25519').publicKey, 'spki'),
  'notes.txt': 'no key',
});
const file = (...names: string[]): string => join(at.path, ...names);
const LAST_SEQ = 'id = (SELECT max(id) FROM events WHERE id < 2 << 32 AND type = ?)'; // of the first run

beforeAll(async () => {
  const store = sqliteStore(file('runs.db'));
  const clock = new VirtualClock(1_700_000_000_000);
  const said = { leaf: { run: ({ task }: { task: { path: string } }) => draft(task.path, CRITICAL) } };
  const out = openOutDir(file('out'));
  const options = { store, clock, runId: 'done', signingKey: readSigningKey(file('key.pem')), onEvent: out.write };
  const { brief } = await clock.run(start(tree([2, 2], said), options).result);
  out.finish(brief, options.signingKey);
  const cut = start(tree([2], { leaf: { run: never } }), { store, clock, runId: 'cut' });
  clock.setTimeout(() => cut.stop(), 100);
  await clock.run(cut.result.catch(() => undefined));
  store.close();
});
afterAll(() => at[Symbol.dispose]());

async function verify(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  const code = await espalier(['verify', ...args], {
    result: (text) => void (said.stdout += text),
    note: (text) => void (said.stderr += `${text}\n`),
    exit: () => Promise.resolve(),
  });
  return { code, ...said };
}
/** The store, with one statement run over it. */
async function verifyAfter(sql: string, ...values: string[]): ReturnType<typeof verify> {
  const changed = file('changed.db');
  copyFileSync(file('runs.db'), changed);
  const database = new DatabaseSync(changed);
  expect(database.prepare(sql).run(...values).changes).toBe(1);
  database.close();
  return verify('done', '--store', changed);
}
const SIGNED = `signed by ${fingerprintOf(publicKey)}`;
const VERIFIED = {
  code: 0,
  stdout: `verified: 7 nodes, 4 findings, 4 critical, all the way to the brief; ${SIGNED}\n`,
};

it('makes no store by asking', async () => {
  const none = file('none', 'runs.db');
  expect(await verify('latest', '--store', none)).toMatchObject({ code: 2, stdout: '' });
  expect(existsSync(file('none'))).toBe(false);
});

describe('espalier verify RUN', () => {
  it('says in one line what was checked, and who signed it', async () => {
    const args = ['--store', file('runs.db')];
    expect(await verify('done', ...args)).toMatchObject(VERIFIED);
    expect(await verify('do', ...args, '--key', file('pub.pem'))).toMatchObject(VERIFIED);
    const { stdout } = await verify('done', ...args, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ problems: [], isFinished: true, checked: { nodes: 7, criticals: 4 } });
  });

  it('says of an unfinished run how far it has come', async () => {
    expect(await verify('cut', '--store', file('runs.db'))).toMatchObject({
      code: 0,
      stdout: 'verified: 0 nodes, 0 findings, 0 critical, as far as it has come: the run is unfinished; not signed\n',
    });
  });

  it.each([
    [
      'an event',
      `UPDATE events SET body = replace(body, 'Said by', 'Told by') WHERE ${LAST_SEQ}`,
      'finding.reported',
      'root/d1/l1',
    ],
    ['a checksum', `UPDATE events SET checksum = 'x' WHERE ${LAST_SEQ}`, 'node.planned', 'root/d1'],
    ['a path', `UPDATE events SET path = 'root/x' WHERE ${LAST_SEQ}`, 'attempt.started', 'root/d1/l1'],
    ['a type', `UPDATE events SET type = 'node.failed' WHERE ${LAST_SEQ}`, 'node.reported', 'root'],
    ['a place', `UPDATE events SET id = id + 1000 WHERE ${LAST_SEQ}`, 'node.started', 'root/d1/l1'],
    ['a row', `DELETE FROM events WHERE ${LAST_SEQ}`, 'node.planned', 'root/d1'],
    [
      'a node',
      `UPDATE nodes SET body = replace(body, '"attempts":1', '"attempts":2') WHERE path = ?`,
      'root/d0/l1',
      'root/d0/l1',
    ],
    ["a node's path", `UPDATE nodes SET path = 'x' WHERE path = ?`, 'root/d0/l1', 'root/d0/l1'],
    ["a node's parent", `UPDATE nodes SET parent = 'root' WHERE path = ?`, 'root/d0/l1', 'root/d0/l1'],
    ["a node's place", 'UPDATE nodes SET id = id + 4294967296 WHERE path = ?', 'root/d0/l1', 'root/d0/l1'],
    ['a damaged node', `UPDATE nodes SET body = '{' WHERE path = ?`, 'root/d0/l1', 'root/d0/l1'],
  ])('names the node of which %s was altered in the file', async (_, sql, value, path) => {
    const { code, stdout } = await verifyAfter(sql, value);
    expect([code, stdout.split(':')[0]]).toEqual([1, path]);
  });

  it.each([
    ['scenario', `UPDATE runs SET scenario = 'x' WHERE id = ?`],
    ['start', 'UPDATE runs SET started_at = 7 WHERE id = ?'],
    ['thesis', `UPDATE runs SET body = replace(body, 'It holds', 'It heals') WHERE id = ?`],
    ['state', `UPDATE runs SET state = 'failed' WHERE id = ?`],
    ['count', 'UPDATE runs SET events = 3 WHERE id = ?'],
    ['receipt', `UPDATE runs SET receipt = replace(receipt, '"head":"', '"head":"0') WHERE id = ?`],
  ])('finds another %s of the run in the file', async (_, sql) => {
    const { code, stdout } = await verifyAfter(sql, 'done');
    expect([code, stdout.split(':')[0]]).toEqual([1, 'The run']);
  });

  it.each([
    [['nobody', '--store', file('runs.db')], /^espalier: There is no run "nobody" in /],
    [['done', '--store', file('runs.db'), '--key', file('none.pem')], /none.pem cannot be read: no such file/],
    [['done', '--store', file('runs.db'), '--key', file('notes.txt')], /notes.txt holds no public key in PEM/],
    [
      ['done', '--store', file('runs.db'), '--key', file('key.pem')],
      /key.pem holds no public key in PEM .* Make one of the private key: openssl pkey/,
    ],
    [['done', '--store', file('runs.db'), '--key', file('x25519.pem')], /is x25519, not Ed25519\. Make one/],
    [[file('none.json')], /none.json cannot be read: no such file or directory\. Name a run or/],
  ])('is misuse in one line: %j', async (args, line) => {
    const { code, stdout, stderr } = await verify(...args);
    expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 2, stdout: '', lines: 2 });
    expect(stderr).toMatch(line);
  });

  it('does not take the signature of another key', async () => {
    const { code, stdout } = await verify('done', '--store', file('runs.db'), '--key', file('other.pem'));
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^The run: its receipt is signed by .*, not by .*\.\n$/)]);
  });
});

describe('espalier verify FILE', () => {
  /** A copy of what the run left, but for what is changed. */
  const copied = (change: { [name: string]: (text: string) => string } = {}, without: string[] = []): string => {
    rmSync(file('copy'), { recursive: true, force: true });
    mkdirSync(file('copy'));
    for (const name of ['brief.json', 'receipt.json', 'events.ndjson'].filter((one) => !without.includes(one))) {
      const text = readFileSync(file('out', name), 'utf8');
      writeFileSync(file('copy', name), change[name]?.(text) ?? text);
    }
    return file('copy', 'brief.json');
  };

  it('verifies what a run left, with the receipt that the store has', async () => {
    expect(await verify(copied())).toMatchObject(VERIFIED);
    const store = sqliteStore(file('runs.db'));
    expect(JSON.parse(readFileSync(file('out', 'receipt.json'), 'utf8'))).toEqual(store.run('done')?.receipt);
    store.close();
  });

  it('says what is not beside it', async () => {
    const { code, stdout } = await verify(copied({}, ['receipt.json', 'events.ndjson']));
    const reach =
      'without events.ndjson and receipt.json beside it: it agrees with itself, which is all that can be said';
    expect([code, stdout]).toEqual([0, `verified: 1 node, 4 findings, 4 critical, ${reach}; not signed\n`]);
  });

  it.each([
    ['a time', 'brief.json', (text: string) => text.replace('"endedAt": 17', '"endedAt": 18')],
    ['a space', 'brief.json', (text: string) => text.replace('  "kind"', '\t "kind"')],
    ['a brace', 'brief.json', (text: string) => text.replace('{', '[')],
    ['the receipt', 'receipt.json', (text: string) => text.replace('"runId": "d', '"runId": "b')],
    ['a brace of the receipt', 'receipt.json', (text: string) => text.replace('{', '[')],
    ['an event', 'events.ndjson', (text: string) => text.replace('"attempt":1', '"attempt":2')],
    ['the end of the events', 'events.ndjson', (text: string) => text.slice(0, -20)],
  ])('finds %s that was altered', async (_, name, change) => {
    const { code, stdout } = await verify(copied({ [name]: change }));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^[^\n]+\.\n/);
  });

  it('finds bytes that are no UTF-8', async () => {
    const brief = copied();
    const bytes = readFileSync(brief);
    bytes[bytes.indexOf('Said')] = 0xf1;
    writeFileSync(brief, bytes);
    expect((await verify(brief)).code).toBe(1);
  });

  it('refuses what is no brief', async () => {
    writeFileSync(file('plan.json'), '{}');
    const { code, stderr } = await verify(file('plan.json'));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/plan.json is not the JSON of a report\. Name a run/)]);
  });
});

it('verifies, as a user does, the run that just ended', async () => {
  using own = workspace();
  expect((await runEspalier(['run', TINY, '--out', 'o'], own.path)).code).toBe(0);
  for (const what of ['latest', 'o/brief.json']) {
    const { code, stdout, stderr } = await runEspalier(['verify', what], own.path);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^verified: 7 nodes, \d+ findings, \d+ critical, all the way to the brief; not signed\n$/);
  }
});

it.each([
  ['none.pem', /none.pem cannot be read: no such file or directory\. Name a PEM file\.$/],
  ['notes.txt', /notes.txt holds no private key in PEM that can be read without a password\.$/],
  ['pub.pem', /pub.pem holds no private key in PEM that can be read without a password\.$/],
])('does not sign with %s', (name, line) => {
  expect(() => readSigningKey(file(name))).toThrow(line);
});
