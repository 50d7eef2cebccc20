/** What the library adds to the start of a process: importing it, and importing it and running a tree of 3 × 5. */
import { spawnSync } from 'node:child_process';
import { interleaved, median } from './statistics.ts';

const TREE = `
  const leaf = (i) => defineLeaf({ name: 'l' + i, run: () => ({ statement: 'said' }) });
  const domain = (i) => defineDomain({ name: 'd' + i, charter: '', children: [0, 1, 2, 3, 4].map(leaf) });
  await run(defineScenario({ name: 's', thesis: 't', domains: [0, 1, 2].map(domain) }));`;
const PROGRAMS = {
  empty: '',
  imported: "await import('espalier');",
  ran: `const { defineLeaf, defineDomain, defineScenario, run } = await import('espalier');${TREE}`,
};

export type ColdStart = { rounds: number; ms: Record<keyof typeof PROGRAMS, number> };

export async function measureColdStart(rounds: number, note: (text: string) => void): Promise<ColdStart> {
  note('cold start, as whole processes');
  const timed = (program: string) => async (): Promise<number> => {
    const before = performance.now();
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    return performance.now() - before;
  };
  const { empty, imported, ran } = PROGRAMS;
  const ms = await interleaved(rounds, { empty: timed(empty), imported: timed(imported), ran: timed(ran) });
  return { rounds, ms: { empty: median(ms.empty), imported: median(ms.imported), ran: median(ms.ran) } };
}
