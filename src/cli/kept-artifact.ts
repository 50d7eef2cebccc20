/** The bytes of an artifact that a node kept, from the store, checked against the digest in the node's report. */
import { EspalierError } from '../errors.ts';
import type { Store } from '../ports/store.ts';
import { sha256 } from '../protocol/digest.ts';
import type { Artifact } from '../protocol/report.ts';
import type { NodeView } from '../render/node-view.ts';
import { bodyOf } from '../tier/synthesis-check.ts';
import { misuse } from './misuse.ts';

/** @throws EspalierError `invalid-input` when the node kept none of this name; `store-fault` when the bytes are not those */
export function keptArtifact(store: Store, { runId, path, outcome }: NodeView, name: string): Uint8Array {
  const artifacts = (outcome && bodyOf(outcome)?.artifacts) ?? [];
  const artifact = artifacts.find(({ ref }) => ref === name || ref === `${path}#${name}`);
  if (!artifact) throw misuse(`Node ${path} kept no artifact "${name}". ${choiceOf(artifacts, path)}`);
  const bytes = store.bytes(runId, artifact.sha256);
  if (bytes && sha256(bytes) === artifact.sha256) return bytes;
  throw new EspalierError(
    'store-fault',
    `The bytes of ${artifact.ref} ${bytes ? 'are not those that were kept' : 'are not in the store'}. "espalier verify ${runId}" says what else is wrong.`,
  );
}

function choiceOf(artifacts: readonly Artifact[], path: string): string {
  if (artifacts.length === 0) return 'It kept none.';
  const names = artifacts.map(({ ref }) => (ref.startsWith(`${path}#`) ? ref.slice(path.length + 1) : ref));
  return `It kept ${names.map((name) => `"${name}"`).join(', ')}.`;
}

/** Text that a terminal shows and does not obey: UTF-8, without controls but for tabs and ends of lines. */
export function isPlainText(bytes: Uint8Array): boolean {
  try {
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    return !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/.test(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes),
    );
  } catch {
    return false;
  }
}
