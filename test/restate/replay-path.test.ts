/** A leaf whose first entry is written after it was heard takes the same path when it is replayed. */
import { describe, expect, it } from 'vitest';
import { restate, serve, services } from '../../src/restate.ts';
import { start } from '../../src/runtime/in-process/start.ts';
import { domain, leaf, pause, said, scenarioOf } from '../contracts/host/bench.ts';
import { restateUnderTest } from './host-under-test.ts';
import { isInstalled } from './program.ts';

describe.skipIf(!isInstalled())('at a Restate server', () => {
  const under = restateUnderTest();

  // It is in danger between the end of its check's first slice, at 50 ms, and its being told to conclude.
  const moments = [50, 51, 52, 53, 54, 55, 56, 58];
  it.concurrent.each(moments)(
    'a leaf that was asked to conclude at work, and whose worker dies %i ms after, concludes',
    async (ms) => {
      const { server } = under();
      const mismatches: string[] = [];
      const logger = (_: unknown, ...words: unknown[]): void => {
        const line = words.map(String).join(' ');
        if (/mismatch/i.test(line)) mismatches.push(line);
      };
      const gone = Promise.withResolvers<void>();
      let checks = 0;
      const checked = leaf('l', {
        async run({ task }) {
          const leaves = `target_service_name = 'espalier.${scenario.name}.leaf' AND status <> 'completed'`;
          const [own] = await server.query<{ id: string }>(`SELECT id FROM sys_invocation WHERE ${leaves}`);
          await fetch(`${server.admin}/invocations/${own?.id}/cancel`, { method: 'PATCH' });
          await pause(5); // the word to conclude is there before what came of this is written
          return said(task.path);
        },
        async verify() {
          if (++checks === 1) setTimeout(() => void first.close().then(gone.resolve), ms);
          await pause(300);
          return { ok: true };
        },
      });
      const scenario = scenarioOf([domain('d', [checked])], { limits: { deadline: '4s' } });
      const serving = { services: services(scenario), logger };
      const first = await serve(serving);
      await server.register(first.uri);
      const { result } = start(scenario, { host: restate({ ingress: server.ingress }) });
      await Promise.race([gone.promise, result]); // it may conclude before it is checked
      await first.close();
      const second = await serve({ ...serving, port: first.port });
      const { brief } = await result;
      await second.close();
      expect(mismatches).toEqual([]);
      expect(brief.gaps.map(({ path, status }) => [path, status])).toEqual([['root/d/l', 'cancelled']]);
    },
  );
});
