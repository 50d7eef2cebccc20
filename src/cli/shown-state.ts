import type { RunState, StoredRun } from '../ports/store.ts';

/** `interrupted`: it has not ended, and nobody works on it. */
export type ShownState = RunState | 'interrupted';
export const SHOWN_STATES: readonly ShownState[] = ['running', 'interrupted', 'complete', 'partial', 'failed'];

export const stateOf = ({ state, claim }: StoredRun): ShownState =>
  state === 'running' && !claim?.isLive ? 'interrupted' : state;
/** Also of an ended one that is being resumed to try its failures again. */
export const isWorkedOn = ({ claim }: StoredRun): boolean => claim?.isLive === true;
