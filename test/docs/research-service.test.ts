import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { serve, type ServerType } from '@hono/node-server';
import { afterEach, expect, test } from 'vitest';
import type { Scenario } from 'espalier';
import { researchService } from '../../docs/guides/research-service.ts';
import { CRITICAL, draft, tree } from '../support/world.ts';

let server: ServerType | undefined;
afterEach(() => server?.close());
async function listen(scenario: Scenario): Promise<string> {
  server = serve({ fetch: researchService(scenario).fetch, hostname: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const runningAt = async (url: string): Promise<unknown> => (await fetch(`${url}/running`)).json();

test('a request gets progress as it happens, and then the brief', async () => {
  const url = await listen(tree([2, 2], { leaf: { run: ({ task }) => draft(task.path, CRITICAL) } }));
  const text = await (await fetch(`${url}/research?as-of=2009-03-01`)).text();
  const events = text.split('\n\n').flatMap((block) => /^event: (.+)\ndata: (.+)$/.exec(block)?.slice(1, 3) ?? []);
  expect(events.filter((part) => part === 'finding.escalated')).toHaveLength(4);
  expect(events.at(-2)).toBe('brief');
  expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({ status: 'complete', run: { asOf: '2009-03-01' } });
  expect(await runningAt(url)).toEqual([]);
});

test('a request that cannot be read gets one clear line', async () => {
  const url = await listen(tree([1, 1]));
  const text = await (await fetch(`${url}/research?as-of=yesterday`)).text();
  expect(text).toContain('Write it as YYYY-MM-DD');
});

test('when the client leaves, its run is stopped, and only its', async () => {
  const signals: AbortSignal[] = [];
  const hanging = tree([1, 3], {
    leaf: { run: ({ abortSignal }) => new Promise(() => void signals.push(abortSignal)) },
  });
  const url = await listen(hanging);
  const [leaving, staying] = [new AbortController(), new AbortController()];
  const requests = [leaving, staying].map(({ signal }) => fetch(`${url}/research`, { signal }));
  await Promise.all(requests);
  await expect.poll(() => signals.length).toBe(6);
  leaving.abort();
  await expect.poll(() => signals.filter((signal) => signal.aborted).length).toBe(3);
  expect(await runningAt(url)).toHaveLength(1);
  staying.abort();
  await expect.poll(() => signals.every((signal) => signal.aborted)).toBe(true);
});
