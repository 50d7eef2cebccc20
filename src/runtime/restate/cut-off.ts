/** What becomes of the nodes below one whose invocation is lost: they have ended with it, and nobody is left to say so. Pure. */
import type { Finding } from '../../protocol/finding.ts';
import { depthOf, isWithin, nameOf, parentOf } from '../../protocol/path.ts';
import type { Tier } from '../../protocol/report.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import { joinStep, openJoin } from '../../tier/join.ts';
import { retractedBy } from '../../tier/retraction.ts';
import type { Noted } from './wire.ts';

/** Reads what a run has said, in its order; then tells how those below `lost` have ended that had not, the deepest first. */
export class CutOff {
  readonly #lost: string;
  readonly #open = new Map<string, { tier: Tier; at: number }>();
  readonly #said = new Map<string, Finding>();

  constructor(lost: string) {
    this.#lost = lost;
  }
  see(event: RunEventBody, at: number): void {
    const { path } = event;
    if (!isWithin(path, this.#lost)) return;
    if (event.type === 'finding.reported') this.#said.set(event.finding.id, event.finding);
    if (path === this.#lost) return;
    if (event.type === 'node.started') this.#open.set(path, { tier: event.tier, at });
    else if (event.type === 'node.failed') this.#open.delete(path);
    else if (event.type === 'node.reported') {
      this.#open.delete(path);
      for (const id of retractedBy(event.report, this.#said)) this.#said.delete(id);
    }
  }
  ends(runId: string, at: number): Noted[] {
    const open = [...this.#open].sort(([a], [b]) => depthOf(b) - depthOf(a));
    return open.flatMap(([path, { tier, at: startedAt }]) => {
      const name = nameOf(path);
      const [join] = openJoin({
        runId,
        path: parentOf(path),
        children: [{ name, tier }],
        startedAt,
        heard: () => [...this.#said.values()].filter((finding) => isWithin(finding.path, path)),
      });
      return joinStep(join, { type: 'cancelled', at, isCutOff: true }).flatMap((effect): Noted[] =>
        effect.type === 'sealed' && effect.outcome.kind === 'failure'
          ? [{ at, event: { type: 'node.failed', path, tier, token: effect.outcome } }]
          : [],
      );
    });
  }
}

/** Without what they had said: where that is more than can travel. */
export const withoutPartials = (ends: readonly Noted[]): Noted[] =>
  ends.map(({ at, event }) => {
    if (event.type !== 'node.failed') return { at, event };
    const { partial: _, ...token } = event.token;
    return { at, event: { ...event, token } };
  });
