/** Tools over the Model Context Protocol, with real servers: a process, and one over HTTP. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { mcpServer } from '../../../src/adapters/tools/mcp-server.ts';
import type { OpenToolServer } from '../../../src/ports/tools.ts';
import { httpServer } from '../../fixtures/mcp/http-server.ts';

const SERVER = fileURLToPath(new URL('../../fixtures/mcp/stdio-server.ts', import.meta.url));
const never = new AbortController().signal;
const stdio = (...args: string[]) => mcpServer({ command: process.execPath, args: [SERVER, ...args] });
/** One that is dead and that nobody has collected does not count. */
const isAlive = (pid: number): boolean => {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
};

const opened: OpenToolServer[] = [];
const open = async (server = stdio()): Promise<OpenToolServer> => {
  const one = await server.open({ abortSignal: never });
  opened.push(one);
  return one;
};
const call = (server: OpenToolServer, name: string, input = {}, abortSignal = never) => {
  const tool = server.tools.find((one) => one.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  return tool.call(input, { abortSignal });
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
  vi.unstubAllEnvs();
});

describe('a server that is a process', () => {
  it('lists its tools with what they take, answers, and is not given the keys of this process', async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', 'sk-ant-secret');
    const server = await open(mcpServer({ command: process.execPath, args: [SERVER], env: { FOLDER: '/srv' } }));
    expect(server.tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['echo', 'pid', 'fail']));
    expect(server.tools.find(({ name }) => name === 'echo')).toMatchObject({
      description: 'Says it back',
      input: { type: 'object', properties: { say: { type: 'string' } } },
    });
    expect(await call(server, 'echo', { say: 'so be it' })).toEqual({ text: 'so be it' });
    expect(await call(server, 'fail')).toEqual({ text: 'no such file', isError: true });
    const { text } = await call(server, 'keys');
    expect(text.split(' ')).toContain('FOLDER');
    expect(text).not.toContain('ANTHROPIC');
  });

  it('leaves nobody behind, neither itself nor what it has started, deaf as they may be', async () => {
    const server = await open(stdio('--deaf'));
    const pids = [Number((await call(server, 'pid')).text), Number((await call(server, 'breed')).text)];
    expect(pids.map(isAlive)).toEqual([true, true]);
    await server.close();
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  it('says when it has died, and what it had started is gone too', async () => {
    const server = await open();
    const child = Number((await call(server, 'breed')).text);
    await expect(call(server, 'die')).rejects.toThrow('Connection closed');
    expect(server.isLost?.()).toBe(true);
    await server.close();
    expect(isAlive(child)).toBe(false);
  });

  it('is no longer waited for when the call is aborted', async () => {
    const server = await open();
    const abort = new AbortController();
    const hanging = call(server, 'hang', {}, abort.signal);
    abort.abort(new Error('over'));
    await expect(hanging).rejects.toThrow('over');
    expect(await call(server, 'echo', { say: 'still here' })).toEqual({ text: 'still here' });
  });

  it.each([
    [
      'does not exist',
      mcpServer({ command: '/no/such/program' }),
      /"\/no\/such\/program" could not be opened: spawn .*ENOENT/,
    ],
    ['ends at once', stdio('--broken'), /could not be opened: .* It said: the folder is not there\. Correct its entry/],
  ])('that %s is named, with why and what to do', async (_, server, message) => {
    await expect(server.open({ abortSignal: never })).rejects.toMatchObject({
      code: 'unknown-tool',
      message: expect.stringMatching(message),
    });
  });
});

it('does not say what it was given to itself', async () => {
  const server = mcpServer({ command: process.execPath, args: [SERVER, '--broken'], env: { TOKEN: 'tok-0123456789' } });
  await expect(server.open({ abortSignal: never })).rejects.toThrow('It said: the folder is not there, with ***.');
});

describe('a server over HTTP', () => {
  it('is spoken to with its headers, and its session ended', async () => {
    const http = await httpServer();
    try {
      const server = await open(mcpServer({ url: http.url, headers: { authorization: 'Bearer t' } }));
      expect(await call(server, 'echo', { say: 'over there' })).toEqual({ text: 'over there' });
      expect(http.headers.at(-1)).toMatchObject({ authorization: 'Bearer t' });
      expect(http.sessions()).toBe(1);
      await server.close();
      expect(http.sessions()).toBe(0);
    } finally {
      http.close();
    }
  });

  it('that is not there is named without what its address holds besides, and may be there at the next try', async () => {
    const server = mcpServer({ url: 'http://127.0.0.1:9/mcp?token=secret' });
    const error: unknown = await server.open({ abortSignal: never }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      diagnosis: 'transient',
      message: expect.stringContaining('at http://127.0.0.1:9 could not be opened'),
    });
    expect(String(error)).not.toContain('secret');
  });

  it('that refuses is not asked again', async () => {
    const http = await httpServer({ refuse: 403 });
    try {
      await expect(mcpServer({ url: http.url }).open({ abortSignal: never })).rejects.toMatchObject({
        code: 'unknown-tool',
      });
    } finally {
      http.close();
    }
  });
});

it.each([
  [{}, 'takes either command or url'],
  [{ command: 'a', url: 'http://b' }, 'takes either command or url'],
  [{ command: '' }, 'has command: the text ""'],
  [{ url: 'ftp://b' }, 'has url: the text "ftp://b"'],
  [7, 'was given 7'],
])('mcpServer(%j) is refused', (options, message) => {
  expect(() => mcpServer(options as never)).toThrow(message);
});
