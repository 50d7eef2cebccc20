/**
 * What a run has said, in one order for everybody: an object per run.
 *  1. Every event is in it once, and is numbered by its place. Whoever reads from the start reads all of them.
 *  2. A critical finding is escalated with the event that reports it, once for each id.
 *  3. A critical finding of a node that had been cut off is not lost: `child.late` carries it, and the root's report.
 *  4. What has been said stays until the run is forgotten, so that a caller may come back.
 */
import * as restate from '@restatedev/restate-sdk';
import type { InvocationId, ObjectContext, ObjectSharedContext } from '@restatedev/restate-sdk';
import type { Ended } from '../../ports/activities.ts';
import type { Decision } from '../../protocol/decision.ts';
import type { Finding } from '../../protocol/finding.ts';
import { isWithin, nameOf, parentOf, ROOT } from '../../protocol/path.ts';
import type { RunEventBody } from '../../protocol/run-event.ts';
import { retractedBy } from '../../tier/retraction.ts';
import type { Afterthought } from '../record/recall.ts';
import { send } from './calls.ts';
import { CutOff, withoutPartials } from './cut-off.ts';
import type { ServiceNames } from './names.ts';
import { canTravel, CHUNK_BYTES, tooManyIn } from './piece-size.ts';
import type { Foreknowledge, Noted } from './wire.ts';

type Ledger = {
  /** How many chunks there are: `0`, `1` … are their names. */
  chunks: number;
  /** Of the latest event. */
  at: number;
  isOver: boolean;
  /** Who waits for more: awakeables. */
  waiting: string[];
  /** The invocation of the run, which goes by its id: one that begins anew when this one is forgotten has the same. */
  invocation?: string;
  /** When the run began, by its caller: what tells it from another of its id. */
  issuedAt?: number;
  ending?: Ending;
};
export type Ending = 'cancel' | 'stop';
/** `cursor`: where to go on reading. */
export type Page = { events: Noted[]; cursor: number; isOver: boolean };
export type UnderRoot = { ended: Ended[]; decided?: Decision };
/** What the run's end goes by. */
export type Standing = { criticals: Finding[]; late: Afterthought[] };
/** `invocation`: of the run. `forgetAfterMs`: when nobody can be at work on it any more, or come back to it. */
export type Opening = {
  invocation: string;
  issuedAt: number;
  foreknowledge?: Foreknowledge;
  noted: Noted[];
  forgetAfterMs: number;
};
type State = {
  ledger: Ledger;
  foreknowledge: Foreknowledge;
  /** Paths of nodes that were cut off, and may still have something to say. */
  cut: string[];
} & Standing & { [chunk: `chunk ${number}`]: Noted[] };

type Writing = ObjectContext<State>;
type Reading = ObjectSharedContext<State>;
const MOST_CHUNKS = 64; // on a page

export const ledgerObject = ({ ledger: name, slots, budget }: ServiceNames, options: restate.ObjectOptions) => {
  const forgetOthers = (ctx: Writing): void => {
    for (const service of [slots, budget]) send(ctx, { service, key: ctx.key, method: 'forget' }, null);
  };
  return restate.object({
    name,
    options: { ...options, enableLazyState: true },
    handlers: {
      /** The run begins. Says whether it has been told to end before. */
      open: async (
        ctx: Writing,
        { invocation, issuedAt, foreknowledge, noted, forgetAfterMs }: Opening,
      ): Promise<Ending | null> => {
        let ledger = await ledgerOf(ctx);
        if (ledger.invocation !== undefined) {
          ctx.clearAll(); // of a run of this id whose result is forgotten
          forgetOthers(ctx);
          ledger = await ledgerOf(ctx);
        }
        ledger = { ...ledger, invocation, issuedAt };
        // By an invocation of its own: whoever kills the run kills what the run itself has put off.
        send(ctx, { service: name, key: ctx.key, method: 'forget', delay: forgetAfterMs }, { issuedAt });
        if (foreknowledge) ctx.set('foreknowledge', foreknowledge);
        await append(ctx, ledger, noted);
        return ledger.ending ?? null;
      },
      append: async (ctx: Writing, noted: Noted[]): Promise<void> => append(ctx, await ledgerOf(ctx), noted),
      /** The last events of the run. */
      close: async (ctx: Writing, noted: Noted[]): Promise<void> => {
        const ledger = await ledgerOf(ctx);
        ledger.isOver = true;
        await append(ctx, ledger, noted);
      },
      /** What there is after `cursor`; when there is nothing, `awakeable` is resolved as soon as there is. */
      next: async (ctx: Writing, { cursor, awakeable }: { cursor: number; awakeable: string }): Promise<Page> => {
        const ledger = await ledgerOf(ctx);
        const page = await pageFrom(ctx, ledger, cursor);
        if (page.cursor === cursor && !page.isOver) {
          ledger.waiting.push(awakeable);
          ctx.set('ledger', ledger);
        }
        return page;
      },
      /** Whoever waited by this awakeable has gone. */
      leave: async (ctx: Writing, awakeable: string): Promise<void> => {
        const ledger = await ledgerOf(ctx);
        ledger.waiting = ledger.waiting.filter((one) => one !== awakeable);
        ctx.set('ledger', ledger);
      },
      /** Ends the run: `cancel` delivers what there is, `stop` nothing. */
      end: async (ctx: Writing, ending: Ending): Promise<void> => {
        const ledger = await ledgerOf(ctx);
        if (ledger.isOver) return;
        ledger.ending = ending;
        ctx.set('ledger', ledger);
        if (ledger.invocation !== undefined) ctx.cancel(ledger.invocation as InvocationId);
      },
      /** `issuedAt`: of which run. There may be another of this id by now. */
      forget: async (ctx: Writing, { issuedAt }: Pick<Opening, 'issuedAt'>): Promise<void> => {
        const ledger = await ledgerOf(ctx);
        if (ledger.issuedAt !== issuedAt) return;
        if (!ledger.isOver) {
          forgetOthers(ctx); // it was killed
          ledger.isOver = true;
          await append(ctx, ledger, []);
        }
        ctx.clearAll();
      },

      /** What has been said by now, by whoever: in the queue of those who say it. */
      standing: async (ctx: Writing): Promise<Standing> => ({
        criticals: (await ctx.get('criticals')) ?? [],
        late: (await ctx.get('late')) ?? [],
      }),
      /** The invocation of this node is lost: those below it that had not ended have ended with it. */
      lose: async (ctx: Writing, { path, at }: { path: string; at: number }): Promise<void> => {
        const ledger = await ledgerOf(ctx);
        const below = new CutOff(path);
        await scan(ctx, (event, when) => below.see(event, when));
        const ends = below.ends(ctx.key, Math.max(at, ledger.at));
        if (ends.length > 0) await append(ctx, ledger, canTravel(ends) ? ends : withoutPartials(ends));
      },

      /** Whether it is there: it is not before its run has begun, nor when that is forgotten. */
      isKept: shared(async (ctx: Reading): Promise<boolean> => (await ledgerOf(ctx)).invocation !== undefined),
      ending: shared(async (ctx: Reading): Promise<Ending | null> => (await ledgerOf(ctx)).ending ?? null),
      foreknowledge: shared(
        async (ctx: Reading): Promise<Foreknowledge> =>
          (await ctx.get('foreknowledge')) ?? { durations: [], learned: [] },
      ),
      /** Every finding that was said at this path or below it and not taken back, in the order said. */
      under: shared(async (ctx: Reading, path: string): Promise<Finding[]> => {
        const said = new Map<string, Finding>();
        await scan(ctx, (event) => {
          if (!isWithin(event.path, path)) return;
          if (event.type === 'finding.reported') said.set(event.finding.id, event.finding);
          else if (event.type === 'node.reported') for (const id of retractedBy(event.report, said)) said.delete(id);
        });
        const findings = [...said.values()];
        if (canTravel(findings)) return findings;
        const criticals = findings.filter(({ critical }) => critical);
        return canTravel(criticals) ? criticals : [];
      }),
      /** How the root's children have ended, and what it had decided: for a brief that has to be made without it. */
      underRoot: shared(async (ctx: Reading): Promise<UnderRoot> => {
        const ended: Ended[] = [];
        let decided: Decision | undefined;
        await scan(ctx, (event) => {
          if (event.type === 'node.planned' && event.path === ROOT) decided = event.decision;
          if (parentOf(event.path) !== ROOT) return;
          if (event.type === 'node.reported') ended.push({ name: nameOf(event.path), outcome: event.report });
          else if (event.type === 'node.failed') ended.push({ name: nameOf(event.path), outcome: event.token });
        });
        const tokens = ended.filter(({ outcome }) => outcome.kind === 'failure');
        return { ended: canTravel(ended) ? ended : tokens, ...(decided && { decided }) };
      }),
    },
  });
};

const shared = restate.handlers.object.shared;

const ledgerOf = async (ctx: Reading): Promise<Ledger> =>
  (await ctx.get('ledger')) ?? { chunks: 0, at: 0, isOver: false, waiting: [] };

async function append(ctx: Writing, ledger: Ledger, noted: readonly Noted[]): Promise<void> {
  const chunk: Noted[] = [];
  const cut: string[] = [];
  for (const one of noted) {
    const { event } = one;
    ledger.at = Math.max(ledger.at, one.at); // the clocks of several machines
    const at = ledger.at;
    const isCritical = event.type === 'finding.reported' && event.finding.critical !== undefined;
    if (!isCritical) {
      chunk.push({ at, event });
      if (event.type === 'node.failed' && MAY_STILL_SPEAK.has(event.token.status)) cut.push(event.path);
      continue;
    }
    chunk.push(
      ...(await critical(ctx, { path: event.path, finding: event.finding })).map((said) => ({ at, event: said })),
    );
  }
  if (cut.length > 0) ctx.set('cut', [...((await ctx.get('cut')) ?? []), ...cut]);
  if (chunk.length > 0) ctx.set(`chunk ${ledger.chunks++}`, chunk);
  for (const awakeable of ledger.waiting.splice(0)) {
    const page: Page = { events: chunk, cursor: ledger.chunks, isOver: ledger.isOver };
    ctx.resolveAwakeable(awakeable, page);
  }
  ctx.set('ledger', ledger);
}
const MAY_STILL_SPEAK: ReadonlySet<string> = new Set(['timeout', 'cancelled', 'error']);

/** What is said of a critical finding: that it is escalated, or that it came too late. */
async function critical(ctx: Writing, said: Afterthought): Promise<RunEventBody[]> {
  const { path, finding } = said;
  const cut = (await ctx.get('cut')) ?? [];
  if (cut.some((ended) => isWithin(path, ended))) {
    ctx.set('late', [...((await ctx.get('late')) ?? []), said]);
    const above = parentOf(path) || path;
    return [{ type: 'child.late', path: above, child: nameOf(path), why: 'late', findings: [finding] }];
  }
  const known = (await ctx.get('criticals')) ?? [];
  if (known.some(({ id }) => id === finding.id)) return [];
  const criticals = [...known, finding];
  if (canStand(criticals)) ctx.set('criticals', criticals);
  else ctx.set('late', [...((await ctx.get('late')) ?? []), tooMuch(said)]);
  return [
    { type: 'finding.reported', path, finding },
    { type: 'finding.escalated', path: finding.path, finding },
  ];
}

/** A brief has them all: beside them it must still travel. */
const canStand = (criticals: readonly Finding[]): boolean =>
  tooManyIn(JSON.stringify(criticals), MOST_CRITICAL_BYTES) === undefined;
const MOST_CRITICAL_BYTES = 16 * 1024 * 1024;
const MOST_LETTERS = 300;
/** It is told to everybody, and the brief says where it is. */
function tooMuch({ path, finding }: Afterthought): Afterthought {
  const { data: _, statement, ...rest } = finding;
  const why = 'a critical finding is too big to stand here, and is in the events of the run';
  return { path, finding: { ...rest, statement: statement.slice(0, MOST_LETTERS) }, why };
}

async function scan(ctx: Reading, see: (event: RunEventBody, at: number) => void): Promise<void> {
  const { chunks } = await ledgerOf(ctx);
  for (let chunk = 0; chunk < chunks; chunk++) {
    for (const { event, at } of (await ctx.get(`chunk ${chunk}`)) ?? []) see(event, at);
  }
}

async function pageFrom(ctx: Reading, ledger: Ledger, cursor: number): Promise<Page> {
  const events: Noted[] = [];
  let end = Math.min(ledger.chunks, cursor + MOST_CHUNKS);
  let length = 0;
  for (let chunk = cursor; chunk < end; chunk++) {
    const noted = (await ctx.get(`chunk ${chunk}`)) ?? [];
    events.push(...noted);
    length += JSON.stringify(noted).length;
    if (length > CHUNK_BYTES) end = chunk + 1;
  }
  return { events, cursor: Math.max(cursor, end), isOver: ledger.isOver && end >= ledger.chunks };
}
