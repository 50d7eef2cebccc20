/**
 * Reads a log back: whether every event is there, in its place, as it was written.
 *  1. An event that was altered, moved, added or left out is a problem of the node it is about.
 *  2. What was altered is not believed: it is not passed on, and its nodes are said to be in doubt.
 *  3. One change is one problem: the chain goes on from what is stored.
 */
import type { StoredEvent } from '../../ports/store.ts';
import { RunEvent } from '../../protocol/run-event.ts';
import { checksumOf } from './checksum.ts';
import type { Placed, Problems } from './problems.ts';

/** A stored event; or a line of a file, which has a body alone. */
type LogRow = Pick<StoredEvent, 'body'> & Partial<StoredEvent>;
export type LogCheck = {
  /** The event that the row holds, if it can be believed. */
  take(row: LogRow): RunEvent | undefined;
  /** Nodes of which an event was altered: what else is wrong with them follows from that. */
  readonly inDoubt: ReadonlySet<string>;
  readonly events: number;
  readonly head: string;
  /** A node of which the event with this number was: says so where that event is missing. */
  readonly nameMissing: (path: string, seq: number) => void;
};
type Gap = { from: number; to: number; problem: Placed };

export function createLogCheck(runId: string, problems: Problems): LogCheck {
  const inDoubt = new Set<string>();
  const gaps: Gap[] = [];
  let next = 0;
  /** The checksum of the last event as it is stored, and as it should be. */
  let head = '';
  let computed = '';

  const gapAt = (seq: number): Gap | undefined => gaps.find(({ from, to }) => seq >= from && seq < to);
  const name = ({ problem }: Gap, path: string): void => {
    if (problem.path === '') problem.path = path;
    inDoubt.add(path);
  };
  /** Whether it stands where it belongs; when it does not, that was said. */
  const isInPlace = (row: LogRow, event: RunEvent | undefined): boolean => {
    const { seq = event?.seq ?? next, path } = row;
    const about = event?.path ?? path ?? '';
    const from = event && gapAt(event.seq);
    if (from) {
      name(from, about);
      return false;
    }
    if (seq === next) return true;
    if (event?.seq === next) {
      problems.add(about, `event ${next} stands as number ${seq}`, next);
      return true;
    }
    if (seq < next) {
      problems.add(about, `event ${seq} is in the log a second time`, seq);
      return false;
    }
    const what = seq === next + 1 ? `event ${next} is missing` : `the events ${next} to ${seq - 1} are missing`;
    gaps.push({ from: next, to: seq, problem: problems.add('', what, next) });
    next = seq;
    head = ''; // of what came before this one
    return true;
  };
  const isChained = ({ body, checksum }: LogRow): boolean => {
    const isAfterGap = head === '' && next > 0;
    let own = checksumOf(head, body);
    let isRight = isAfterGap || checksum === undefined || checksum === own;
    if (!isRight && checksum === checksumOf(computed, body)) {
      own = checksum; // it was the checksum before that was altered
      isRight = true;
    }
    computed = own;
    head = checksum ?? own;
    return isRight;
  };
  /** What the row says of its event besides the body; undefined when it says the same. */
  const misfiled = ({ path = '', type }: LogRow, event: RunEvent): string | undefined => {
    if (event.runId !== runId) return `is of run ${event.runId}`;
    if (event.seq !== next) return `says that it is event ${event.seq}`;
    if (path !== event.path && path !== '') return `is filed under ${path}`;
    return type !== undefined && type !== event.type ? `is filed as ${type}` : undefined;
  };

  return {
    inDoubt,
    get events() {
      return next;
    },
    get head() {
      return head;
    },
    take(row) {
      const event = readEvent(row.body);
      if (!isInPlace(row, event)) return undefined;
      const seq = next;
      const path = row.path ?? event?.path ?? '';
      const title = `event ${seq}${event ? ` (${event.type})` : ''}`;
      const isRight = isChained(row);
      const why = isRight && event ? misfiled(row, event) : undefined;
      next++;
      if (!isRight) {
        problems.add(path, `${title} or its checksum was altered: they do not fit each other`, seq);
        inDoubt.add(path);
        if (event) inDoubt.add(event.path);
        return undefined;
      }
      if (!event) {
        problems.add(path, `${title} cannot be read`, seq);
        inDoubt.add(path);
      } else if (why !== undefined) problems.add(event.path, `${title} ${why}`, seq);
      return event;
    },
    nameMissing(path, seq) {
      const gap = gapAt(seq);
      if (gap) name(gap, path);
    },
  };
}

/** As it is written, not as the schema would have it: what was added to it is seen, too. */
function readEvent(body: string): RunEvent | undefined {
  try {
    const event: unknown = JSON.parse(body);
    return RunEvent.safeParse(event).success ? (event as RunEvent) : undefined;
  } catch {
    return undefined;
  }
}
