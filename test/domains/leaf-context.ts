import { createSourceReader } from '../../src/activities/source-reader.ts';
import { openTools } from '../../src/activities/open-tools.ts';
import { toolShelf } from '../../src/activities/tool-shelf.ts';
import { createRunBudget } from '../../src/runtime/run-budget.ts';
import type { LeafContext } from '../../src/define/spec.ts';
import type { SourceAdapter } from '../../src/ports/sources.ts';

/** What a host would give a leaf: the sources it declared, as of a date, and nothing else. */
export function leafContext(adapter: SourceAdapter, declared: readonly string[], asOf: string): LeafContext {
  const abortSignal = new AbortController().signal;
  return {
    task: {
      runId: 'test',
      path: 'root/domain/leaf',
      tier: 'leaf',
      question: '',
      charter: '',
      asOf,
      grant: {
        depthLeft: 0,
        issuedAt: 0,
        deadline: 60_000,
        reserveMs: 0,
        budget: {},
        maxChildren: 1,
        sources: [...declared],
        tools: [],
      },
      prior: [],
      enrichments: [],
    },
    attempt: 1,
    sources: createSourceReader({ adapter, declared, asOf, abortSignal }),
    tools: toolShelf({ declared: [], open: openTools(), abortSignal, onUndeclared: () => {} }),
    alert: () => undefined,
    abortSignal,
    budget: createRunBudget({}, () => {}).spendingOf('root/domain/leaf'),
    model: { isAvailable: false, ask: () => Promise.reject(new Error('there is no model here')) },
    report: () => undefined,
    gap: (gap, why) => ({ gap, why }),
    artifacts: {
      keep: () => {
        throw new Error('nothing is kept here');
      },
      read: () => {
        throw new Error('nothing is kept here');
      },
    },
    prior: () => undefined,
    need: () => {
      throw new Error('there are no siblings here');
    },
    spawn: () => {
      throw new Error('a leaf has no children');
    },
  };
}
