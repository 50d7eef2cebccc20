/** The dashboard's queries, asked of a real Prometheus with the configuration that is shipped. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workspace } from '../cli/command.ts';
import { filled, queries, tellOfEventfulRuns } from '../support/dashboard.ts';
import { freePorts } from '../support/free-ports.ts';

const OTLP_FLAG = 'web.enable-otlp-receiver';
/** The program, if it is one that takes OTLP: from 3.0 on. */
const PROMETHEUS = [process.env['PROMETHEUS_BIN'] ?? '', 'prometheus'].find((file) => {
  if (file === '') return false;
  const { stdout, stderr } = spawnSync(file, ['--help'], { encoding: 'utf8' });
  return `${stdout}${stderr}`.includes(OTLP_FLAG);
});
const SKIPPED = ' (SKIPPED: there is no prometheus from 3.0 on in PATH, and PROMETHEUS_BIN names none)';

type Answer = { status: string; data: { result: unknown[] }; warnings?: string[]; error?: string };

describe.skipIf(PROMETHEUS === undefined)(`a real Prometheus${PROMETHEUS === undefined ? SKIPPED : ''}`, () => {
  const at = workspace();
  let server: ChildProcess;
  let url = '';
  const ask = async (query: string): Promise<Answer> => {
    const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
    return (await response.json()) as Answer;
  };

  beforeAll(async () => {
    const [port] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    const data = `--storage.tsdb.path=${at.path}/data`;
    const address = `--web.listen-address=127.0.0.1:${port}`;
    server = spawn(PROMETHEUS ?? '', ['--config.file=deploy/prometheus.yaml', `--${OTLP_FLAG}`, address, data], {
      stdio: 'ignore',
    });
    const until = performance.now() + 20_000;
    while (!(await fetch(`${url}/-/ready`).catch(() => undefined))?.ok) {
      if (server.exitCode !== null || performance.now() > until) throw new Error('prometheus is not ready');
      await after(50);
    }
    const said = await tellOfEventfulRuns({
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${url}/api/v1/otlp/v1/metrics`,
      OTEL_TRACES_EXPORTER: 'none',
    });
    expect(said).toEqual([]);
  }, 60_000);
  afterAll(async () => {
    const closed = once(server, 'close');
    server.kill('SIGKILL');
    await closed;
    at[Symbol.dispose]();
  });

  it('answers every query of the dashboard, and has something to say to each', async () => {
    const failed: unknown[] = [];
    for (const { title, legendFormat, expr } of queries) {
      const { status, data, ...rest } = await ask(filled(expr));
      if (status !== 'success' || data.result.length === 0 || 'warnings' in rest)
        failed.push({ title, legendFormat, rest });
    }
    expect(failed).toEqual([]);
  });

  it('has nothing to say of what nobody sends', async () => {
    expect((await ask('espalier_nothing_total')).data.result).toEqual([]);
    expect((await ask('sum by (tier')).status).toBe('error');
  });

  it('counts a run that is over in a moment, which increase() does not', async () => {
    const valueOf = async (query: string): Promise<number> => {
      const [first] = (await ask(query)).data.result as { value: [number, string] }[];
      return Number(first?.value[1] ?? 0);
    };
    const escalated = queries.find(({ title }) => title === 'Critical findings escalated')?.expr ?? '';
    expect(await valueOf(filled(escalated))).toBe(2);
    expect(await valueOf('sum(increase(espalier_escalations_total[1h]))')).toBe(0);
  });
});
