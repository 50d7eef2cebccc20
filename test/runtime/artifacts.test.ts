/** Big outputs travel as references: kept by the node that made them, read by whoever was given its report. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapters/stores/memory-store.ts';
import { defineDomain } from '../../src/define/define-domain.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { EspalierError } from '../../src/errors.ts';
import type { Child, LeafRun, ScenarioSpec } from '../../src/define/spec.ts';
import { verifyRun } from '../../src/runtime/record/verify.ts';
import { interruptedAt, resumed } from '../support/interrupted.ts';
import { CRITICAL, draft, world } from '../support/world.ts';

const TABLE = 'a,b\n1,2\n'.repeat(1_000);
const scenarioOver = (domains: Child[], over: Partial<ScenarioSpec> = {}) =>
  defineScenario({ name: 'kept', thesis: 'It holds', domains, ...over });
const leaf = (name: string, run: LeafRun, needs?: string[]): Child =>
  defineLeaf({ name, run, ...(needs && { needs }) });
const maker = leaf('maker', ({ task, artifacts }) => {
  artifacts.keep('table.csv', TABLE);
  return draft(task.path);
});
const REF = 'root/maker#table.csv';
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('an artifact', () => {
  it('travels to the brief as a reference with its size and digest', async () => {
    const { brief } = await world(scenarioOver([defineDomain({ name: 'x', charter: 'x', children: [maker] })])).run();
    expect(brief.artifacts).toEqual([
      { ref: 'root/x/maker#table.csv', bytes: TABLE.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
  });

  it('is read by a sibling that needs its maker, and by the synthesizer over it', async () => {
    const read: string[] = [];
    const reader = leaf(
      'reader',
      ({ task, artifacts }) => {
        read.push(text(artifacts.read(REF)));
        return draft(task.path);
      },
      ['maker'],
    );
    const { status } = await world(
      scenarioOver([maker, reader], {
        synthesize({ artifacts, children }) {
          read.push(text(artifacts.read(REF)));
          const ids = children.flatMap(({ outcome }) => (outcome.kind === 'report' ? outcome.findings : []));
          return { narrative: '', dispositions: ids.map(({ id }) => ({ id, as: 'kept' as const })) };
        },
      }),
    ).run();
    expect(status).toBe('complete');
    expect(read).toEqual([TABLE, TABLE]);
  });

  it('is read by nobody else', async () => {
    const nosy = leaf('nosy', ({ task, artifacts }) => {
      artifacts.read(REF);
      return draft(task.path);
    });
    const { gaps } = await world(scenarioOver([maker, nosy])).run();
    expect(gaps).toMatchObject([
      { path: 'root/nosy', why: expect.stringContaining('in no report that this node was given') },
    ]);
  });

  it('of a failed attempt is not referred to; of the same name the last one counts', async () => {
    const twice = leaf('twice', ({ task, attempt, artifacts }) => {
      artifacts.keep(`of-${attempt}`, `attempt ${attempt}`);
      if (attempt === 1) throw new Error('not yet');
      artifacts.keep(`of-${attempt}`, 'the last word');
      return draft(task.path);
    });
    const { brief } = await world(scenarioOver([twice])).run();
    expect(brief.artifacts).toMatchObject([{ ref: 'root/twice#of-2', bytes: 'the last word'.length }]);
  });

  it('of a leaf that died with something said is in its partial', async () => {
    const dying = leaf('dying', async ({ task, report, artifacts }) => {
      report(draft(task.path, CRITICAL));
      artifacts.keep('log', 'so far');
      await new Promise(() => {});
      return [];
    });
    const { brief } = await world(scenarioOver([dying], { limits: { deadline: '1s' } })).run();
    expect(brief.artifacts).toMatchObject([{ ref: 'root/dying#log' }]);
  });

  it.each(['', 'a/b', 'a#b', 'a\u0000'])('cannot be called %j', async (name) => {
    const wrong = leaf('wrong', ({ task, artifacts }) => {
      artifacts.keep(name, '');
      return draft(task.path);
    });
    const { gaps } = await world(scenarioOver([wrong])).run();
    expect(gaps).toMatchObject([{ why: expect.stringContaining('An artifact cannot be called') }]);
  });

  it('is kept with a stored run: a resumed one reads what the first one kept', async () => {
    const read: string[] = [];
    const reader = leaf(
      'reader',
      ({ task, artifacts }) => {
        read.push(text(artifacts.read(REF)));
        return draft(task.path);
      },
      ['maker'],
    );
    const scenario = scenarioOver([maker, reader]);
    const interrupted = await interruptedAt(15, scenario);
    expect(interrupted.ended).toEqual(new Set(['root/maker']));
    const { outcome } = await resumed(interrupted, scenario);
    expect(read).toEqual([TABLE]);
    expect(outcome.brief.artifacts).toHaveLength(1);
  });

  it('that is lost or altered in the store is found by verifying the run', async () => {
    const store = memoryStore();
    await world(scenarioOver([maker]), {}, { store }).run();
    const problemsWith = (bytes: Uint8Array | undefined) => verifyRun({ ...store, bytes: () => bytes }, 'run').problems;
    expect(verifyRun(store, 'run').problems).toEqual([]);
    expect(problemsWith(undefined)).toMatchObject([
      { path: 'root/maker', message: expect.stringContaining('is not kept') },
    ]);
    expect(problemsWith(new TextEncoder().encode(TABLE.replace('1', '7')))).toMatchObject([{ path: 'root/maker' }]);
  });

  it('is kept as soon as a store that was locked takes it', async () => {
    const store = memoryStore();
    let refusals = 2;
    const locked = {
      ...store,
      begin(...given: Parameters<typeof store.begin>) {
        const writer = store.begin(...given);
        return {
          ...writer,
          keep(...kept: Parameters<typeof writer.keep>) {
            if (refusals-- > 0) throw new EspalierError('store-fault', 'locked');
            writer.keep(...kept);
          },
        };
      },
    };
    await world(scenarioOver([maker]), {}, { store: locked }).run();
    expect(refusals).toBeLessThan(0);
    expect(verifyRun(store, 'run').problems).toEqual([]);
  });

  it('stays with the run when the store cannot take it', async () => {
    const store = memoryStore();
    const full = {
      ...store,
      begin: (...given: Parameters<typeof store.begin>) => ({
        ...store.begin(...given),
        keep() {
          throw new Error('the disk is full');
        },
      }),
    };
    const { status, brief } = await world(scenarioOver([maker]), {}, { store: full }).run();
    expect({ status, kept: brief.artifacts.length }).toEqual({ status: 'complete', kept: 1 });
  });
});
