/** Takes up the record of a run that has gone on elsewhere: what its caller missed is still to be written. */
import { identifyIn } from '../../activities/identity.ts';
import { ROOT } from '../../protocol/path.ts';
import { recorded, type Record, type RecordOptions } from './open-record.ts';
import type { Store } from '../../ports/store.ts';
import { readEvent } from './reading.ts';
import { recallOf } from './recall.ts';
import { storedArtifacts } from './stored-artifacts.ts';

/** @throws EspalierError `store-fault`, `run-busy`, `unknown-run` */
export function attachRecord(options: RecordOptions): Record {
  const { store, runId, registry, domains } = options;
  const identify = identifyIn(registry, domains);
  const { artifacts, writer } = storedArtifacts(store, runId, store.claim(runId));
  try {
    const { events = 0, head = '' } = store.run(runId) ?? {};
    const criticals = recallOf({ store, runId, identify, retryFailed: false }).criticalsUnder(ROOT);
    const goesOn = storedEvents(store, runId);
    const recorder = recorded(options, writer, { head, criticals, gone: [], goesOn });
    return { identify, artifacts, recorder, events, invalidated: [] };
  } catch (error) {
    writer.release();
    throw error;
  }
}

function* storedEvents(store: Store, runId: string) {
  for (const { body } of store.events(runId)) {
    const event = readEvent(body);
    if (event) yield event;
  }
}
