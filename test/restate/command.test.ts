/** The command line against a server: workers and callers are processes, as users have them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/protocol/report.ts';
import { runEspalier, startEspalier, TINY, workspace, type Started } from '../cli/command.ts';
import { isInstalled } from './program.ts';
import { startServer, type Server } from './server.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/scenarios/${name}`, import.meta.url));
const LEISURELY = fixture('leisurely.ts');
const ENDLESS = fixture('endless.ts');

describe.skipIf(!isInstalled())('the command line with a Restate server', () => {
  let server: Server;
  let worker: Started;
  const home = workspace();
  const executed = join(home.path, 'executed');
  const there = () => ['--host', 'restate', '--ingress', server.ingress];
  const linesIn = (file: string): string[] =>
    existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').toSorted() : [];
  beforeAll(async () => {
    server = await startServer();
    worker = startEspalier(['worker', TINY, LEISURELY, ENDLESS, '--port', '0', '--register', server.admin], home.path, {
      LEISURELY: executed,
    });
    await worker.stderrSays('Registered at');
  }, 60_000);
  afterAll(async () => {
    worker?.child.kill('SIGKILL');
    await worker?.ended;
    await server?.stop();
    home[Symbol.dispose]();
  });

  it('delivers the brief that this process delivers', async () => {
    using at = workspace();
    const here = await runEspalier(['run', TINY, '--json', '--no-store', '--out', 'here'], at.path);
    const { code, stdout, stderr } = await runEspalier(['run', TINY, '--json', ...there()], at.path);
    expect(code, stderr).toBe(0);
    const brief = JSON.parse(stdout) as Report;
    expect(brief.digest).toBe((JSON.parse(here.stdout) as Report).digest);
    expect(stderr).toContain('CRITICAL root/macro/jobs');
    expect((await runEspalier(['verify', 'latest'], at.path)).code).toBe(0);
    expect((await runEspalier(['runs'], at.path)).stdout).toContain(brief.runId.slice(0, 8));
  });

  it('goes on with a run whose caller was killed in mid-run, and does nothing twice', async () => {
    using at = workspace();
    const first = startEspalier(['run', LEISURELY, ...there()], at.path);
    await first.stderrSays('CRITICAL root/d0/l0');
    first.child.kill('SIGKILL');
    await first.ended;
    expect((await runEspalier(['runs'], at.path)).stdout).toMatch(/running|interrupted/);
    const { code, stdout, stderr } = await runEspalier(['resume', 'latest', '--json'], at.path);
    expect(code, stderr).toBe(0);
    const brief = JSON.parse(stdout) as Report;
    expect(brief.findings).toHaveLength(12);
    expect(linesIn(executed)).toEqual(brief.findings.map(({ path }) => path).toSorted());
    const events = readFileSync(join(at.path, 'runs', brief.runId, 'events.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(events.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(events.map((_, seq) => seq));
    expect((await runEspalier(['verify', 'latest'], at.path)).code).toBe(0);
    const again = await runEspalier(['resume', 'latest'], at.path);
    expect(again).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(
        'The run had ended, complete: its server tells it once more, and nothing runs again.',
      ),
    });
    expect(linesIn(executed)).toHaveLength(12);
  });

  it('goes on in this process with a run that is not to wait for its server, and changes it only there', async () => {
    using at = workspace();
    const first = startEspalier(['run', LEISURELY, ...there()], at.path);
    await first.stderrSays('CRITICAL root/d0/l0');
    first.child.kill('SIGKILL');
    await first.ended;
    const changing = await runEspalier(['resume', 'latest', '--deadline', '30s'], at.path);
    expect(changing).toMatchObject({ code: 2, stdout: '' });
    expect(changing.stderr).toMatch(
      /^espalier: The option deadline cannot change run \w+, .* resume --host in-process/,
    );
    const here = ['resume', 'latest', '--json', '--host', 'in-process', '--deadline', '30s'];
    const { code, stdout, stderr } = await runEspalier(here, at.path, { LEISURELY: join(at.path, 'executed') });
    expect(code, stderr).toBe(0);
    expect((JSON.parse(stdout) as Report).findings).toHaveLength(12);
    expect((await runEspalier(['verify', 'latest'], at.path)).code).toBe(0);
    const back = await runEspalier(['resume', 'latest'], at.path);
    expect(back).toMatchObject({ code: 2, stderr: expect.stringContaining('has gone on in one process') });
  });

  it('closes with what was found at ^C, and leaves nothing at work', async () => {
    using at = workspace();
    const { child, stderrSays, ended } = startEspalier(['run', ENDLESS, ...there()], at.path);
    await stderrSays('CRITICAL root/d/rings');
    child.kill('SIGINT');
    expect((await ended).code).toBe(3);
    const open = () => server.query("SELECT target FROM sys_invocation WHERE status NOT IN ('completed', 'scheduled')");
    await expect.poll(open, { timeout: 10_000, interval: 50 }).toEqual([]);
  });

  it('has orchestrators and leaves at workers of their own', async () => {
    using at = workspace();
    const leaves = join(at.path, 'leaves');
    const start = (role: string): Started =>
      startEspalier(['worker', LEISURELY, '--role', role, '--port', '0', '--register', server.admin], at.path, {
        LEISURELY: role === 'leaf' ? leaves : join(at.path, 'none'),
      });
    const workers = ['orchestrator', 'leaf'].map(start);
    try {
      await Promise.all(workers.map((one) => one.stderrSays('Registered at')));
      const { code, stderr } = await runEspalier(['run', LEISURELY, '--json', ...there()], at.path);
      expect(code, stderr).toBe(0);
      expect(stderr.match(/The limit hedge has no effect at a Restate server/g)).toHaveLength(1);
      expect(linesIn(leaves)).toHaveLength(12);
      expect(linesIn(join(at.path, 'none'))).toEqual([]);
    } finally {
      for (const { child, ended } of workers) {
        child.kill('SIGKILL');
        await ended;
      }
    }
  });

  it('ends a worker at ^C', async () => {
    worker.child.kill('SIGINT');
    const { code, stdout, stderr } = await worker.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('\nClosing: ') });
    expect(stdout).toMatch(/^Serving orchestrators and leaves of tiny, leisurely, endless at http/);
  });
});
