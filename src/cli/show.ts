/** `espalier show`: what a stored run, or one node of it, was and answers. */
import type { Store, StoredNode, StoredRun } from '../ports/store.ts';
import { ROOT } from '../protocol/path.ts';
import { renderRun, type RunView } from '../render/run-view.ts';
import { renderNode } from '../render/node-view.ts';
import { didWork } from '../runtime/record/cost.ts';
import { reviewOf } from '../runtime/record/review.ts';
import { EXIT } from './exit-code.ts';
import { misuse } from './misuse.ts';
import { isPlainText, keptArtifact } from './kept-artifact.ts';
import { alternatives, nearest } from './nearest.ts';
import { readNode } from './node-record.ts';
import type { StoreFlags } from './open-store.ts';
import type { Output } from './output.ts';
import { paintFor, widthOf } from './screen.ts';
import { stateOf } from './shown-state.ts';
import { asOfOf, givenOf, lastKnown, openRun, tookOf } from './stored-run.ts';

export type ShowFlags = StoreFlags & { json?: boolean; artifact?: string };

export async function showCommand(
  given: string,
  path: string | undefined,
  flags: ShowFlags,
  output: Output,
): Promise<number> {
  const { artifact } = flags;
  if (artifact !== undefined && path === undefined) {
    throw misuse('--artifact prints what one node kept. Name it: espalier show RUN PATH --artifact NAME.');
  }
  if (artifact !== undefined && flags.json) throw misuse('--artifact prints bytes as they are. Leave out --json.');
  const { store, run } = await openRun(given, flags);
  try {
    const nodes = [...store.nodes(run.runId)];
    const screen = { width: widthOf(process.stdout), paint: paintFor(process.stdout) };
    if (path === undefined) {
      const view = runViewOf(store, run, nodes, Date.now());
      output.result(flags.json ? asJson(view) : renderRun(view, screen));
    } else {
      const view = readNode({ store, run, nodes, node: nodeOf(nodes, path), now: Date.now() });
      if (artifact !== undefined) output.result(forStdout(keptArtifact(store, view, artifact), artifact));
      else output.result(flags.json ? asJson(view) : renderNode(view, screen));
    }
    return EXIT.complete;
  } finally {
    store.close();
  }
}

function forStdout(bytes: Uint8Array, name: string): Uint8Array {
  if (!process.stdout.isTTY || isPlainText(bytes)) return bytes;
  throw misuse(`"${name}" is binary, ${bytes.length} bytes, and stdout is a terminal. Write it to a file: … > FILE.`);
}

const asJson = (view: unknown): string => `${JSON.stringify(view, null, 2)}\n`;

function nodeOf(nodes: readonly StoredNode[], path: string): StoredNode {
  const node = nodes.find((each) => each.path === path);
  if (node) return node;
  const paths = nodes.map((each) => each.path);
  if (paths.length === 0) throw misuse(`The run has no node ${path}: none has begun yet.`);
  throw misuse(`The run has no node ${path}. Did you mean ${alternatives(nearest(path, paths))}?`);
}

function runViewOf(store: Store, run: StoredRun, nodes: readonly StoredNode[], now: number): RunView {
  const { runId, scenario, thesis, startedAt, endedAt, options, claim } = run;
  const asOf = asOfOf(store, run);
  const root = nodes.find(({ path }) => path === ROOT);
  const until = lastKnown(run, nodes, now);
  const tookMs = tookOf(root);
  return {
    runId,
    scenario,
    thesis,
    ...(asOf !== undefined && { asOf }),
    state: stateOf(run),
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
    ...(tookMs !== undefined && { tookMs }),
    deadlineMs: givenOf(store, run),
    maxDepth: options.maxDepth,
    concurrency: options.concurrency,
    said: saidOf(nodes, root),
    ...(claim?.isLive && {
      holder: { pid: claim.pid, hostname: claim.hostname, silentMs: Math.max(0, now - claim.renewedAt) },
    }),
    review: reviewOf(nodes, until),
    nodes: nodes
      .filter(({ state }) => state !== 'invalidated')
      .map(({ path, depth, state, startedAt: from, endedAt: to = until }) => ({ path, depth, state, from, to })),
  };
}

/** What the root reports; before it has, what leaves have said so far. */
function saidOf(nodes: readonly StoredNode[], root: StoredNode | undefined): RunView['said'] {
  if (root?.endedAt !== undefined) {
    const { findings, criticals, gaps } = root;
    return { findings, criticals, gaps };
  }
  const leaves = nodes.filter(didWork);
  return {
    findings: leaves.reduce((sum, { findings }) => sum + findings, 0),
    criticals: leaves.reduce((sum, { criticals }) => sum + criticals, 0),
  };
}
