/** Whether the big outputs that a stored run refers to are kept, and are what their references say. */
import { hash } from 'node:crypto';
import type { Store } from '../../ports/store.ts';
import type { RunEvent } from '../../protocol/run-event.ts';
import { bodyOf } from '../../tier/synthesis-check.ts';
import type { Problems } from './problems.ts';
import { readingOf } from './reading.ts';

/** Looks at each where the node that kept it ended: those above only pass the reference on. */
export function createArtifactCheck(store: Store, runId: string, problems: Problems): (event: RunEvent) => void {
  return (event) => {
    if (event.type !== 'node.reported' && event.type !== 'node.failed') return;
    const { path, seq } = event;
    const body = bodyOf(event.type === 'node.reported' ? event.report : event.token);
    for (const { ref, sha256, bytes } of body?.artifacts ?? []) {
      if (!ref.startsWith(`${path}#`)) continue;
      const read = readingOf(() => store.bytes(runId, sha256));
      const kept = 'value' in read ? read.value : undefined;
      if (!kept) problems.add(path, `its artifact ${ref} is not kept`, seq);
      else if (kept.length !== bytes || hash('sha256', kept, 'hex') !== sha256) {
        problems.add(path, `the bytes of its artifact ${ref} are not those it kept`, seq);
      }
    }
  };
}
