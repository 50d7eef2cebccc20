/** The reads of sources that an attempt has begun, each said to the run's events once: at its end, or the attempt's. */
import type { SourceRead } from '../ports/activities.ts';
import type { FailureStatus } from '../protocol/failure-status.ts';
import type { Clock } from '../ports/clock.ts';
import type { RunEventBody } from '../protocol/run-event.ts';

/** Whom they are said to. */
type Heard = { readonly clock: Clock; readonly emit: (event: RunEventBody) => void };
type Asked = { source: string; declared: boolean; startedAt: number };

export class OpenReads {
  readonly #open = new Set<Asked>();
  readonly #path: string;
  readonly #host: Heard;
  constructor(path: string, host: Heard) {
    this.#path = path;
    this.#host = host;
  }

  begin(source: string, declared: boolean): (read: SourceRead) => void {
    const asked = { source, declared, startedAt: this.#host.clock.now() };
    this.#open.add(asked);
    return (read) => this.#end(asked, read);
  }

  /** Nobody waits for them any more. */
  breakOff(status: FailureStatus): void {
    for (const asked of this.#open) this.#end(asked, { status, observations: 0 });
  }

  #end(asked: Asked, read: SourceRead): void {
    if (this.#open.delete(asked)) this.#host.emit({ type: 'source.read', path: this.#path, ...asked, ...read });
  }
}
