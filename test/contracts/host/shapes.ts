/** The shapes a tree can take: the same brief on every host, times aside. */
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/index.ts';
import research from '../../../scenarios/us-tech-2008.ts';
import csvFolderScenario from '../../../scenarios/csv-folder.ts';
import { entry, manifestOf, monthly, writtenFolder } from '../../adapters/csv-folder/written-folder.ts';
import { domain, leaf, never, pathsIn, performed, said, scenarioOf, type OpenHost } from './bench.ts';

export function shapes(open: OpenHost): void {
  describe('shapes', () => {
    it('the research scenario: the same brief as in one process', async () => {
      const done = await performed(open(), research);
      const here = await run(research);
      expect(done.status).toBe('complete');
      expect(done.brief.digest).toBe(here.brief.digest);
      expect(done.brief.narrative).toBe(here.brief.narrative);
      expect(done.escalations).toEqual(here.escalations);
      expect(
        done
          .eventsOf('finding.escalated')
          .map(({ finding }) => finding.id)
          .toSorted(),
      ).toEqual(here.escalations.map(({ id }) => id).toSorted());
    });

    it('a folder of series', async ({ onTestFinished }) => {
      const growing = Array.from({ length: 120 }, (_, i) => 100 + i + ((i * 7) % 5));
      const files = {
        'manifest.json': manifestOf(
          entry({ polarity: 1 }),
          entry({ id: 'rate', domain: 'macro', title: 'Rate', analyst: 'labour', polarity: -1 }),
        ),
        'jobs.csv': monthly(growing),
      };
      const folder = writtenFolder(files, onTestFinished);
      const scenario = await csvFolderScenario({ data: folder });
      const done = await performed(open(), scenario, { asOf: '2010-02-01' });
      const here = await run(scenario, { asOf: '2010-02-01' });
      expect(done.brief.digest).toBe(here.brief.digest);
      expect(done.brief.findings.length).toBeGreaterThan(0);
    });

    it('tiers within tiers: a report from each, and the whole usage at the root', async () => {
      const scenario = scenarioOf(
        [0, 1].map((i) =>
          domain(
            `d${i}`,
            [0, 1].map((j) => domain(`e${j}`, [leaf('l0'), leaf('l1')])),
          ),
        ),
        { limits: { maxDepth: 3 } },
      );
      const done = await performed(open(), scenario);
      expect(done.status).toBe('complete');
      expect(done.brief.usage.subtree).toMatchObject({ nodes: 15, leaves: 8, attempts: 8, depth: 3 });
      expect(done.brief.run).toMatchObject({ observedDepth: 3, maxDepth: 3, demotions: [] });
      expect(done.eventsOf('node.reported')).toHaveLength(15);
      expect((await run(scenario)).brief.digest).toBe(done.brief.digest);
    });

    it('stages: a later one starts when the one before has ended, and reads what it needs', async () => {
      const scenario = scenarioOf([
        domain('d', [
          leaf('first'),
          leaf('second', {
            needs: ['first'],
            run: ({ prior, task }) => said(task.path, { statement: `after ${prior('first')?.findings[0]?.statement}` }),
          }),
        ]),
      ]);
      const done = await performed(open(), scenario);
      const second = done.brief.findings.find(({ path }) => path === 'root/d/second');
      expect(second?.statement).toBe('after Said by root/d/first');
      const order = done.events
        .filter(({ path }) => path.startsWith('root/d/'))
        .map(({ type, path }) => `${type} ${path}`);
      expect(order.indexOf('node.reported root/d/first')).toBeLessThan(order.indexOf('node.started root/d/second'));
      const started = done.eventsOf('node.started').find(({ path }) => path === 'root/d/second');
      expect(started?.prior).toEqual([{ path: 'root/d/first', digest: done.endOf('root/d/first')?.digest }]);
    });

    it('a quorum: who has not reported is not needed, and its critical finding stands', async () => {
      const scenario = scenarioOf([
        domain(
          'd',
          [
            leaf('quick'),
            leaf('quicker'),
            leaf('slow', {
              run({ report, task }) {
                report(said(task.path, { critical: { rule: 'alarm', reason: 'it rings' } }));
                return never();
              },
            }),
            leaf('waits', { needs: ['quick'] }),
          ],
          { join: { quorum: 2 } },
        ),
      ]);
      // The others end only once the alarm has been heard, so that nothing is a race.
      const done = await performed(open(), scenario);
      expect(done.status).toBe('complete');
      expect(done.endOf('root/d/slow')).toMatchObject({ kind: 'failure', status: 'cancelled' });
      expect(done.gaps.map(({ kind, path }) => [kind, path])).toEqual([['not-needed', 'root/d/slow']]);
    });

    it('depth spent: an orchestrator executes in place of its children, and says so', async () => {
      const scenario = scenarioOf(
        [
          domain('d', [domain('e', [leaf('l')])], { execute: ({ task }) => said(task.path, { statement: 'myself' }) }),
          domain('idle', [domain('f', [leaf('l')])]),
        ],
        { limits: { maxDepth: 1 } },
      );
      const done = await performed(open(), scenario);
      expect(done.brief.findings.map(({ statement }) => statement)).toEqual(['myself']);
      expect(
        done
          .eventsOf('depth.refused')
          .map(({ path }) => path)
          .toSorted(),
      ).toEqual(['root/d', 'root/idle']);
      expect(done.brief.run?.demotions).toContain('root/d');
      expect(done.gaps.filter(({ kind }) => kind === 'undone')).not.toEqual([]);
      expect((await run(scenario)).brief.digest).toBe(done.brief.digest);
    });

    it('a decision that makes sub-domains: their leaves are found, wherever they run', async () => {
      const scenario = scenarioOf(
        [
          domain(
            'd',
            ['a', 'b', 'c', 'e'].map((name) => leaf(name)),
            {
              decide: () => ({
                shape: 'divide',
                groups: [
                  { name: 'left', members: ['a', 'b'] },
                  { name: 'right', members: ['c', 'e'] },
                ],
                reasons: ['two by two'],
              }),
            },
          ),
        ],
        { limits: { maxDepth: 3 } },
      );
      const done = await performed(open(), scenario);
      expect(pathsIn(done)).toEqual(['root/d/left/a', 'root/d/left/b', 'root/d/right/c', 'root/d/right/e']);
      expect((await run(scenario)).brief.digest).toBe(done.brief.digest);
    });

    it('only the domains chosen, and the question that is asked', async () => {
      const scenario = scenarioOf([domain('d', [leaf('l')]), domain('other', [leaf('l')])]);
      const done = await performed(open(), scenario, { domains: ['d'], thesis: 'Another one' });
      expect(done.brief.question).toBe('Another one');
      expect(pathsIn(done)).toEqual(['root/d/l']);
      expect(done.gaps.map(({ kind, path }) => [kind, path])).toEqual([['skipped', 'root/other']]);
    });
  });
}
