/**
 * The reads of sources and the calls of tools that an attempt has begun, each said to the run's events once: at its end,
 * or the attempt's.
 */
import type { SourceRead, ToolCalled } from '../ports/activities.ts';
import type { FailureStatus } from '../protocol/failure-status.ts';
import type { Clock } from '../ports/clock.ts';
import type { RunEventBody } from '../protocol/run-event.ts';

/** Whom they are said to. */
type Heard = { readonly clock: Clock; readonly emit: (event: RunEventBody) => void };

export class OpenCalls {
  readonly #open = new Set<(status: FailureStatus) => void>();
  readonly #path: string;
  readonly #host: Heard;
  constructor(path: string, host: Heard) {
    this.#path = path;
    this.#host = host;
  }

  reading(source: string, declared: boolean): (read: SourceRead) => void {
    const asked = { path: this.#path, source, declared, startedAt: this.#host.clock.now() };
    return this.#begin(
      (read) => ({ type: 'source.read', ...asked, ...read }),
      (status) => ({ status, observations: 0 }),
    );
  }
  calling(tool: string): (called: ToolCalled) => void {
    const asked = { path: this.#path, tool, startedAt: this.#host.clock.now() };
    return this.#begin(
      (called) => ({ type: 'tool.called', ...asked, ...called }),
      (status) => ({ status }),
    );
  }

  /** Nobody waits for them any more. */
  breakOff(status: FailureStatus): void {
    for (const breakOne of this.#open) breakOne(status);
  }

  #begin<End>(said: (end: End) => RunEventBody, broken: (status: FailureStatus) => End): (end: End) => void {
    const end = (how: End): void => {
      if (this.#open.delete(breakOne)) this.#host.emit(said(how));
    };
    const breakOne = (status: FailureStatus): void => end(broken(status));
    this.#open.add(breakOne);
    return end;
  }
}
