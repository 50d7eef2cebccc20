/** What every host says and does around a leaf's attempts. Pure. */
import type { Finding } from '../protocol/finding.ts';
import type { Fault } from '../protocol/fault.ts';
import type { RunEventBody } from '../protocol/run-event.ts';
import type { LeafEffect } from './leaf-logic.ts';
import { MISATTRIBUTED } from './minting.ts';

export const CLOSED: Fault = { status: 'timeout', message: 'closed itself at its deadline' };
export const NEVER_BEGUN: Fault = { status: 'timeout', message: 'waited for a slot until its deadline' };
export const HELD_TOO_LONG: Fault = { status: 'timeout', message: 'held its slot too long while others waited' };
export const SILENT: Fault = { status: 'silent', message: 'ended without output' };
export const EXPIRED: Fault = { status: 'timeout', message: 'no answer by its deadline' };

/** What a run is told of a finding that a node has said. */
export function eventsOf(path: string, finding: Finding): RunEventBody[] {
  const reported: RunEventBody = { type: 'finding.reported', path, finding };
  if (!finding.flags.includes(MISATTRIBUTED)) return [reported];
  const message = `${finding.id} claimed another path`;
  return [reported, { type: 'integrity.alert', path, kind: 'misattributed', message }];
}

export function saidIn(effects: readonly LeafEffect[]): Finding[] {
  const said: Finding[] = [];
  for (const effect of effects) if (effect.type === 'say') said.push(effect.finding);
  return said;
}
