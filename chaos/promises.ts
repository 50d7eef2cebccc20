/**
 * The same blow against the same work by nested promises: every node has a time-out, at the moment at which a node of
 * Espalier there has its deadline; leaves are tried three times, those that are refused again and again with a back-off.
 *  - `all`: `Promise.all`. What fails fails whoever waits for it.
 *  - `settled`: `Promise.allSettled`. What fails is left out.
 */
import { VirtualClock } from 'espalier/testing';
import { author } from './author.ts';
import { Found, type Cell } from './found.ts';
import {
  childrenOf,
  CHOOSING_MS,
  DEADLINE_MS,
  INVENTED,
  isLeaf,
  isOfSynthesis,
  PATHS,
  SYNTHESIS_MS,
  workMs,
  type Blow,
  type Draft,
} from './tree.ts';

export type Style = 'all' | 'settled';
type Kept = { readonly id: string; readonly draft: Draft };
type Result = { readonly kept: readonly Kept[]; readonly isPartial: boolean; readonly narrative: string };

/** By depth: what the grants of the same tree come to. */
const TIMEOUTS_MS = [DEADLINE_MS, 44_900, 33_575, 25_081] as const;
const ATTEMPTS = 3;

export async function promises(blow: Blow, style: Style): Promise<Cell> {
  const clock = new VirtualClock();
  const found = new Found();
  const run = nodeAt('root', { blow, style, clock, found });
  const result = await clock.run(run.catch(() => undefined));
  found.close();
  const kept = new Set(result?.kept.map(({ id }) => id));
  const isBelieved = result?.narrative.includes(INVENTED);
  const status = !result || result.kept.length === 0 ? 'failed' : result.isPartial ? 'partial' : 'complete';
  return {
    outcome: `${status}${isBelieved ? ', believed' : ''}`,
    ...found.against(kept, kept),
    lateMs: Math.max(0, clock.now() - DEADLINE_MS),
  };
}

type World = { blow: Blow; style: Style; clock: VirtualClock; found: Found };

function nodeAt(path: string, world: World): Promise<Result> {
  const { clock } = world;
  const timeoutAt = TIMEOUTS_MS[path.split('/').length - 1] ?? DEADLINE_MS;
  const timer = Promise.withResolvers<never>();
  const timeout = clock.setTimeout(() => timer.reject(new Error(`${path} timed out`)), timeoutAt - clock.now());
  const work = isLeaf(path) ? leafAt(path, world) : orchestratorAt(path, world);
  return Promise.race([work, timer.promise]).finally(() => clock.clearTimeout(timeout));
}

async function leafAt(path: string, world: World): Promise<Result> {
  for (let attempt = 1, refusals = 0; ;) {
    try {
      return await attemptAt(path, world);
    } catch (error) {
      const isRefused = (error as { status?: number }).status === 429;
      if (!isRefused && attempt++ >= ATTEMPTS) throw error;
      if (isRefused) await world.clock.sleep(500 * 2 ** Math.min(refusals++, 6));
    }
  }
}

async function attemptAt(path: string, world: World): Promise<Result> {
  const { clock, found, blow } = world;
  const said: Draft[] = [];
  const keep = (draft: Draft): void => {
    found.note(path, draft);
    said.push(draft);
  };
  const sleep = (ms: number): Promise<void> => clock.sleep(ms);
  const spawn = (): Promise<void> => sleep(workMs(path));
  const drafts = await author({ path, now: clock.now, sleep, sleepDeaf: sleep, say: keep, spawn }, blow);
  if (!Array.isArray(drafts)) throw new Error(`${path} did not answer with findings`);
  (drafts as Draft[]).forEach(keep);
  const kept = said.map((draft) => ({ id: `${path}#${draft.key}`, draft }));
  return { kept, isPartial: false, narrative: '' };
}

async function orchestratorAt(path: string, world: World): Promise<Result> {
  const { blow, clock, style } = world;
  const isStruck = path === PATHS[blow.tier];
  const children = childrenOf(path).map((name) => nodeAt(`${path}/${name}`, world));
  for (const child of children) child.catch(() => {}); // somebody may have gone on without it
  if (isStruck && path !== 'root') await breaksDown(path, world, children);
  const results = style === 'all' ? await Promise.all(children) : await survivors(children);
  if (isStruck) await looksAgain(world);
  await clock.sleep(SYNTHESIS_MS);
  if (isStruck && path === 'root') await breaksDown(path, world, children);
  if (isStruck && (blow.fault === 'corrupt synthesis' || blow.fault === '429 storm')) {
    if (path === 'root' || isOfSynthesis(blow.fault)) throw new Error(`${path}: the synthesis cannot be read`);
  }
  const isLying = isStruck && blow.fault === 'fabricated citation';
  return {
    kept: results.flatMap(({ kept }) => kept),
    isPartial: results.length < children.length || results.some(({ isPartial }) => isPartial),
    narrative: isLying ? `It holds, says [${INVENTED}].` : results.map(({ narrative }) => narrative).join(''),
  };
}

const survivors = async (children: readonly Promise<Result>[]): Promise<Result[]> =>
  (await Promise.allSettled(children)).flatMap((one) => (one.status === 'fulfilled' ? one.value : []));

/** As the test kit breaks a node: when its first child has ended. */
async function breaksDown(path: string, { blow, clock }: World, children: readonly Promise<Result>[]): Promise<void> {
  const { fault } = blow;
  if (fault === 'slow') {
    await Promise.allSettled(children);
    await clock.sleep(DEADLINE_MS);
  }
  if (fault !== 'hang' && fault !== 'throw' && fault !== 'silent' && fault !== 'invalid') return;
  await Promise.race(children);
  if (fault === 'hang') await new Promise(() => {});
  throw new Error(`${path} broke: ${fault}`); // an answer that is none is one to whoever checks it
}

async function looksAgain({ blow, clock }: World): Promise<void> {
  if (blow.fault === 'late spawn') await clock.sleep(CHOOSING_MS + DEADLINE_MS);
  while (blow.fault === 'storm') await clock.sleep(1_000);
}
