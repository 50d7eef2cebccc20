/** What every invocation of a run has at hand. */
import type { Context } from '@restatedev/restate-sdk';
import type { RunEventBody } from '../../protocol/run-event.ts';
import { Cancellation } from './cancellation.ts';
import type { Kit, Kits } from './kit.ts';
import type { ServiceNames } from './names.ts';
import { Outbox } from './outbox.ts';
import type { Made, RunSpec } from './wire.ts';
import { Workshop } from './work.ts';
import type { FindingDraft } from '../../protocol/finding.ts';
import type { Artifact } from '../../protocol/report.ts';

/** What work says before its end. */
export type SliceWord =
  | { type: 'said'; draft: FindingDraft }
  | { type: 'kept'; artifact: Artifact }
  | { type: 'event'; event: RunEventBody };

export type Worker = { readonly names: ServiceNames; readonly kits: Kits; readonly workshop: Workshop<SliceWord> };

export type Node = {
  readonly ctx: Context;
  readonly worker: Worker;
  readonly spec: RunSpec;
  readonly kit: Kit;
  readonly made: readonly Made[];
  readonly outbox: Outbox;
  readonly cancellation: Cancellation;
  readonly ledger: { service: string; key: string };
};

export const createWorkshop = (): Workshop<SliceWord> => new Workshop((event) => ({ type: 'event', event }));

export function nodeOf(ctx: Context, worker: Worker, given: { spec: RunSpec; kit: Kit; made: readonly Made[] }): Node {
  const ledger = { service: worker.names.ledger, key: given.spec.runId };
  const outbox = new Outbox(ctx, ledger, given.kit.orchestrators);
  return { ctx, worker, ...given, ledger, outbox, cancellation: new Cancellation(ctx) };
}
