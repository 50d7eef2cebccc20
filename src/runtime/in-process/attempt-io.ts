/** What one execution of an attempt is given, and how it is heard before its end. */
import type { AttemptIo, SourceRead, ToolCalled } from '../../ports/activities.ts';
import type { Spending } from '../../ports/budget.ts';
import type { Dependency } from '../../protocol/dependency.ts';
import type { Fault } from '../../protocol/fault.ts';
import type { FindingDraft } from '../../protocol/finding.ts';
import type { Artifact } from '../../protocol/report.ts';
import { errorOf } from '../../tier/fault.ts';
import type { Host } from './host.ts';
import { OpenCalls } from '../open-calls.ts';

/** What it says before its end. */
export type EarlyWord =
  | { type: 'said'; draft: FindingDraft }
  | { type: 'kept'; artifact: Artifact }
  | ({ type: 'read' } & Pick<Dependency, 'on' | 'via'>);

/** Its signal is made on first use: most leaves never ask, and thousands may be alive. */
export class LazyIo implements AttemptIo {
  #controller: AbortController | undefined;
  #over: Fault | undefined;
  #budget: ReturnType<Host['budget']['spendingOf']> | undefined;
  #calls: OpenCalls | undefined;
  readonly #tell: (io: LazyIo, told: EarlyWord) => void;
  readonly #host: Host;
  readonly #path: string;
  readonly alert: AttemptIo['alert'];
  constructor(path: string, host: Host, tell: (io: LazyIo, told: EarlyWord) => void) {
    this.#path = path;
    this.#tell = tell;
    this.#host = host;
    this.alert = (kind, message) => host.emit({ type: 'integrity.alert', path, kind, message });
  }
  get budget(): Spending {
    if (!this.#budget) {
      this.#budget = this.#host.budget.spendingOf(this.#path);
      if (this.#over) this.#budget.end();
    }
    return this.#budget;
  }
  get abortSignal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#over) this.abort(this.#over); // asked for too late
    }
    return this.#controller.signal;
  }
  report = (draft: FindingDraft): void => this.#tell(this, { type: 'said', draft });
  reading(source: string, isDeclared: boolean): (read: SourceRead) => void {
    return this.#opened().reading(source, isDeclared);
  }
  calling(tool: string): (called: ToolCalled) => void {
    return this.#opened().calling(tool);
  }
  /** What has not answered it by now is not waited for. */
  breakOff({ status }: Fault): void {
    this.#calls?.breakOff(status);
  }
  depend(read: Pick<Dependency, 'on' | 'via'>): void {
    this.#tell(this, { type: 'read', ...read });
  }
  kept(artifact: Artifact): void {
    this.#tell(this, { type: 'kept', artifact });
  }
  abort(fault: Fault): void {
    this.#over ??= fault;
    this.#budget?.end();
    this.#controller?.abort(errorOf(this.#over));
  }
  #opened(): OpenCalls {
    return (this.#calls ??= new OpenCalls(this.#path, this.#host));
  }
}
