/** What needs no Restate server: a worker that nobody calls, and runs that cannot begin. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runEspalier, startEspalier, TINY, workspace } from './command.ts';
import { said } from './said.ts';

const CLOSED = 'http://127.0.0.1:9'; // a port that fetch itself refuses

/** One clear line, and nothing on disk. */
async function fails(args: readonly string[], code: number, line: RegExp): Promise<void> {
  using at = workspace();
  const ended = await runEspalier(args, at.path);
  expect({ ...ended, lines: ended.stderr.trimEnd().split('\n') }).toMatchObject({
    code,
    stdout: '',
    lines: [expect.stringMatching(line)],
  });
  expect(ended.stderr).not.toMatch(/\.\.|Internal error/);
  expect(existsSync(join(at.path, 'runs', 'espalier.db'))).toBe(false);
}

/** Some HTTP server that answers everything with that. */
async function answering(status: number, body: string) {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer(({ headers }, answer) => {
    asked.push(headers);
    answer.writeHead(status).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, asked, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
}

describe('espalier worker', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('serves until %s, and ends well', async (signal) => {
    using at = workspace();
    const { child, stderrSays, ended } = startEspalier(['worker', TINY, '--port', '0'], at.path);
    await stderrSays('Make it known to the server');
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Serving orchestrators and leaves of tiny at http:\/\/127\.0\.0\.1:\d+\n$/);
    expect(stderr).toMatch(/^Make it known to the server: --register .*\nClosing: .*\n$/);
  });

  it('takes a key for each --identity-key, and what follows for its scenarios', async () => {
    const { code, stderr } = await said('worker', '--identity-key', 'one', '--identity-key', 'two', TINY);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('Among the identity keys "one", "two" is one that is none'),
    });
  });

  it('gives a scenario that is a function what it may make its tree by, as "run" does', async () => {
    using at = workspace({ 'tree.js': 'export default (flags) => { throw new Error(JSON.stringify(flags)); };' });
    const tree = ['--as-of', '2008-01-31', '--thesis', 'It holds', '--max-depth', '1', '--data', 'here'];
    const args = [join(at.path, 'tree.js'), ...tree, '--domains', 'a,b', '--policy', 'fast'];
    const [worker, run] = await Promise.all([said('worker', ...args), said('run', ...args)]);
    expect(worker).toEqual(run);
    expect(worker.stderr).toContain(
      '{"asOf":"2008-01-31","thesis":"It holds","maxDepth":1,"domains":["a","b"],"policy":"fast","data":"here","willRun":true}',
    );
  });

  it('says that its port is taken', async () => {
    using other = await answering(200, '');
    const line = /^espalier: The worker cannot listen at 127\.0\.0\.1:\d+: address already in use\. Name another/;
    await fails(['worker', TINY, '--port', String(other.port)], 2, line);
  });

  it('says that the server is not there', async () => {
    const line = /^espalier: The worker could not be registered at .*: connection refused\. Start the server, or/;
    const { url, [Symbol.dispose]: close } = await answering(200, '');
    close();
    using at = workspace();
    const { code, stderr } = await runEspalier(['worker', TINY, '--port', '0', '--register', url], at.path);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(line) });
  });

  it('sends the headers it is given to the server that it is registered at', async () => {
    using refusing = await answering(403, '');
    const headers = ['--header', 'Authorization: Bearer a:b', '--header', 'x-team:blue'];
    await said('worker', TINY, '--port', '0', '--register', refusing.url, ...headers);
    expect(refusing.asked).toMatchObject([{ authorization: 'Bearer a:b', 'x-team': 'blue' }]);
  });

  it('says what the server has against it', async () => {
    using refusing = await answering(403, '{"message":"not you"}');
    using at = workspace();
    const { code, stderr } = await runEspalier(['worker', TINY, '--port', '0', '--register', refusing.url], at.path);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('it answered 403: {"message":"not') });
  });

  it.each([
    [[TINY, TINY], 'Two of the scenarios are called "tiny". Give each a name of its own, or a worker of its own.'],
    [[TINY, '--port', '99999'], '"99999", given to --port, is no port.'],
    [[TINY, '--register', 'localhost'], '"localhost", given to --register, is no URL.'],
    [[TINY, '--advertise', 'localhost'], '"localhost", given to --advertise, is no URL.'],
    [[TINY, '--hostname', '0.0.0.0', '--register', CLOSED], 'is every address of this machine, and the server must be'],
    [[TINY, '--max-depth', '1'], 'is no function of the options, and --max-depth is only for those. Leave it out.'],
    [[TINY, '--header', 'secret'], 'What is given to --header is none. Write it as "NAME: VALUE"'],
    [[TINY, '--role', 'king'], "argument 'king' is invalid"],
  ])('%j is misuse', async (args, message) => {
    const { code, stdout, stderr } = await said('worker', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

const source = (file: string): string => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);
const asking = (root: string): string => `
import { defineLeaf, defineScenario } from ${source('index.ts')};
import { anthropic } from ${source('adapters/models/anthropic.ts')};
const ask = async ({ model }) => ({ statement: (await model.ask({ prompt: 'how is it?' })).text });
export default ({ willRun }) => {
  if (willRun && !process.env.ANTHROPIC_API_KEY) throw new Error('there is no key');
  return defineScenario({
    name: 'asking',
    thesis: 'It holds',
    domains: [defineLeaf({ name: 'l', run: ask })],
    models: { adapter: anthropic({ apiKey: process.env.ANTHROPIC_API_KEY }) },
    ${root}
  });
};`;

describe('the key of a scenario that asks a model', () => {
  it.each([
    ['leaf', ''],
    ['all', ''],
    ['orchestrator', 'synthesize: Object.assign(() => ({}), { asks: true }),'],
    ['orchestrator', 'execute: ask,'],
  ])('is asked for in a worker of role %s that may ask one: %s', async (role, root) => {
    using at = workspace({ 'asking.ts': asking(root) });
    const { code, stderr } = await runEspalier(['worker', 'asking.ts', '--role', role, '--port', '0'], at.path);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('there is no key') });
  });

  it('is not asked for in a worker of orchestrators that ask none', async () => {
    using at = workspace({ 'asking.ts': asking('') });
    const args = ['worker', 'asking.ts', '--role', 'orchestrator', '--port', '0'];
    const { child, stderrSays, ended } = startEspalier(args, at.path);
    await stderrSays('Make it known to the server');
    child.kill('SIGINT');
    expect((await ended).stdout).toMatch(/^Serving orchestrators of asking at http/);
  });

  it('is not asked for in whoever calls workers, unless it asks itself before it approves', async () => {
    using at = workspace({ 'asking.ts': asking('') });
    const call = ['run', 'asking.ts', '--host', 'restate', '--ingress', CLOSED];
    expect((await runEspalier(call, at.path)).stderr).toContain('does not answer: bad port');
    expect((await runEspalier([...call, '--approve'], at.path)).stderr).toContain('there is no key');
  });
});

describe('espalier run --host restate', () => {
  it('says that nobody answers, and keeps nothing of a run that never began', async () => {
    const line = /^espalier: The Restate server at http:\/\/127\.0\.0\.1:9 does not answer: bad port\. Start it, or/;
    await fails(['run', TINY, '--host', 'restate', '--ingress', CLOSED], 1, line);
  });

  it.each([
    [404, 'not found', /no ingress of a Restate server at .*: it answered 404\. Give its URL/],
    [200, '<html>', /no ingress of a Restate server at .*: it does not say what is served\. Give its URL/],
    [200, '{"services":[]}', /No worker of scenario "tiny" is known to the Restate server at .* Start one, and/],
    [
      200,
      '{"services":["espalier.tiny","espalier.tiny.orchestrator"]}',
      /No worker of the leaves of scenario "tiny" is known/,
    ],
    [200, '{"services":["espalier.tiny","espalier.tiny.leaf"]}', /No worker of the orchestrators of scenario "tiny"/],
  ])('of an ingress that answers %d %s', async (status, body, line) => {
    using other = await answering(status, body);
    await fails(['run', TINY, '--host', 'restate', '--ingress', other.url], 2, line);
  });

  it.each([
    [['--ingress', CLOSED], '--ingress names a Restate server, but the run is here. Add --host restate.'],
    [['--header', 'a: b'], '--header is for a Restate server, but the run is here. Add --host restate.'],
    [['--artifacts', 'kept'], '--artifacts is for workers, but the run is here. Add --host restate.'],
    [['--host', 'restate', '--ingress', 'here'], 'The ingress of the Restate server is "here". Give its URL'],
    [['--host', 'restate', '--fault', 'root/macro=hang'], '--fault breaks nodes of this process'],
    [['--host', 'elsewhere'], "argument 'elsewhere' is invalid"],
  ])('%j is misuse', async (args, message) => {
    const { code, stdout, stderr } = await said('run', TINY, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('sends the headers it is given with all that it asks', async () => {
    using other = await answering(200, '{"services":[]}');
    await said('run', TINY, '--host', 'restate', '--ingress', other.url, '--header', 'authorization: Bearer x');
    expect(other.asked).toMatchObject([{ authorization: 'Bearer x' }]);
  });

  it('takes up no run that was begun in one process', async () => {
    using at = workspace();
    await runEspalier(['run', TINY], at.path);
    const line =
      'espalier: The run was begun in one process, and no server knows of it. It goes on here: leave out --host';
    const { code, stdout, stderr } = await runEspalier(['resume', 'latest', '--host', 'restate'], at.path);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(line) });
  });
});
