/**
 * A service that holds one run per request, and stops it when the client leaves.
 *
 *     npx node docs/guides/research-service.ts                       listens on a free port of 127.0.0.1
 *     curl -N 'http://127.0.0.1:PORT/research?as-of=2009-03-01'      progress as it happens, then the brief
 */
import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { createActor, toPromise } from 'xstate';
import { EspalierError, type Scenario } from 'espalier';
import { isProgress, orchestrator } from 'espalier/xstate';
import usTech from '../../scenarios/us-tech-2008.ts';

export function researchService(scenario: Scenario): Hono {
  const research = orchestrator(scenario);
  const running = new Set<string>();
  const service = new Hono();

  service.get('/running', (context) => context.json([...running]));
  service.get('/research', (context) => {
    const asOf = context.req.query('as-of');
    const runId = randomUUID();
    return streamSSE(context, async (stream) => {
      const run = createActor(research, { input: { runId, ...(asOf !== undefined && { asOf }) } });
      let written = Promise.resolve();
      const write = (event: string, data: unknown): void => {
        written = written.then(() => stream.writeSSE({ event, data: JSON.stringify(data) }));
      };
      run.on('*', (event) => {
        const { type, path } = event;
        if (type === 'finding.escalated') write(type, { path, statement: event.finding.statement });
        else if (isProgress(event)) write(type, { path });
      });
      // `stop` ends every actor of the tree at once; `cancel` would still write a brief, for nobody.
      stream.onAbort(() => void run.stop());
      const brief = toPromise(run);
      running.add(runId);
      run.start();
      try {
        const report = await brief;
        if (!stream.aborted) write('brief', report);
      } catch (error) {
        if (EspalierError.isInstance(error)) write('error', { code: error.code, message: error.message });
      } finally {
        running.delete(runId);
      }
      await written;
    });
  });
  return service;
}

const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  const { fetch } = researchService(usTech);
  serve({ fetch, hostname: '127.0.0.1', port: Number(process.env['PORT'] ?? 0) }, ({ port }) => {
    console.log(`http://127.0.0.1:${port}`);
  });
}
