/** One blow against a run of Espalier, on virtual time. */
import {
  defineDomain,
  defineLeaf,
  defineScenario,
  start,
  type Child,
  type Leaf,
  type LeafRun,
  type ReinvestigateSpec,
  type Scenario,
  type Synthesizer,
} from 'espalier';
import { parseRehearsedFault, rehearse, VirtualClock, watchLeftovers } from 'espalier/testing';
import { author } from './author.ts';
import { Found, type Cell } from './found.ts';
import {
  childrenOf,
  DEADLINE_MS,
  INVENTED,
  isLeaf,
  PATHS,
  SYNTHESIS_MS,
  CHOOSING_MS,
  type Blow,
  type Draft,
} from './tree.ts';

export async function ours(blow: Blow): Promise<Cell> {
  const clock = new VirtualClock();
  const found = new Found();
  const watch = watchLeftovers(clock);
  const { activities, rehearsal } = rehearse(faultsOf(blow).map(parseRehearsedFault), clock);
  const handle = start(scenarioUnder(blow, clock, found), {
    clock,
    rehearsal,
    inspect: watch.inspect,
    activities: (own) => watch.activities(activities(own)),
    random: () => 0.5,
  });
  const { brief } = await clock.run(handle.result);
  found.close();
  const endedAt = clock.now();
  const { actors, unstarted, timers, signals } = watch.leftovers();
  const kept = new Set(brief.findings.flatMap(({ id, from = [] }) => [id, ...from]));
  const isBelieved = brief.narrative.includes(INVENTED);
  return {
    outcome: `${brief.status}${isBelieved ? ', believed' : ''}`,
    ...found.against(kept, new Set(brief.escalations.map(({ id }) => id))),
    lateMs: Math.max(0, endedAt - DEADLINE_MS),
    leftBehind: actors.length + unstarted.length + signals.length + timers - found.asleep,
  };
}

/** What the test kit can break by itself. */
function faultsOf({ fault, tier }: Blow): string[] {
  if (tier === 'leaf') return [];
  const path = PATHS[tier];
  const isRoot = tier === 'root synthesis';
  if (fault === 'slow') return [`${path}:${isRoot ? 'synthesize' : 'gather'}=slow:${DEADLINE_MS}`];
  const isPlain = fault === 'hang' || fault === 'throw' || fault === 'silent' || fault === 'invalid';
  return isPlain ? [`${path}${isRoot ? ':synthesize' : ''}=${fault}`] : [];
}

function scenarioUnder(blow: Blow, clock: VirtualClock, found: Found): Scenario {
  const run: LeafRun = async ({ task: { path }, abortSignal, report, spawn }) => {
    const note = (draft: Draft): Draft => {
      if (!abortSignal.aborted) found.note(path, draft);
      return draft;
    };
    const drafts = await author(
      {
        path,
        now: clock.now,
        sleep: (ms) => clock.sleep(ms, abortSignal),
        sleepDeaf: (ms) => found.deaf(clock.sleep(ms)),
        say: (draft) => report(note(draft)),
        spawn: () => spawn('more'),
      },
      blow,
    );
    if (Array.isArray(drafts)) (drafts as Draft[]).forEach(note);
    return drafts as Draft[];
  };
  const childAt = (path: string, name: string): Child => {
    if (isLeaf(path)) return defineLeaf({ name, run });
    return defineDomain({ name, charter: path, children: below(path), ...bossAt(path) });
  };
  const below = (path: string): Child[] => childrenOf(path).map((name) => childAt(`${path}/${name}`, name));
  const bossAt = (path: string) => ({
    synthesize: synthesizerAt(path, blow, clock),
    ...(path === PATHS[blow.tier] && furtherRounds(blow, clock)),
  });
  return defineScenario({
    name: 'chaos',
    thesis: 'It holds',
    domains: below('root'),
    ...bossAt('root'),
    limits: { maxDepth: 3, deadline: DEADLINE_MS, concurrency: 100 },
  });
}

/** One that decides late on more work than can still be done, and one that always wants more. */
function furtherRounds({ fault }: Blow, clock: VirtualClock): { reinvestigate?: ReinvestigateSpec } {
  const more = (name: string, ms: number): Leaf =>
    defineLeaf({
      name,
      estimate: 1_000,
      run: async ({ abortSignal }) => {
        await clock.sleep(ms, abortSignal);
        return [];
      },
    });
  if (fault === 'late spawn') {
    const choose = async (): Promise<string[]> => {
      await clock.sleep(CHOOSING_MS);
      return ['more'];
    };
    return { reinvestigate: { leaves: [more('more', DEADLINE_MS)], choose } };
  }
  if (fault !== 'storm') return {};
  const leaves = Array.from({ length: 100 }, (_, i) => more(`more-${i}`, 1_000));
  return {
    reinvestigate: { leaves, choose: ({ children }) => children.slice(0, 1).map(({ name }) => name), rounds: 3 },
  };
}

const synthesizerAt =
  (path: string, { fault, tier }: Blow, clock: VirtualClock): Synthesizer =>
  async ({ children, abortSignal }) => {
    await clock.sleep(SYNTHESIS_MS, abortSignal);
    const isStruck = path === PATHS[tier];
    if (isStruck && fault === 'corrupt synthesis') return { narrative: 7 } as never;
    if (isStruck && path === 'root' && fault === '429 storm')
      throw Object.assign(new Error('429 Too Many Requests'), { status: 429 });
    const bodies = children.map(({ outcome }) => (outcome.kind === 'report' ? outcome : outcome.partial));
    const ids = [...new Set(bodies.flatMap((body) => body?.findings.map(({ id }) => id) ?? []))];
    const isLying = isStruck && fault === 'fabricated citation';
    return {
      narrative: isLying ? `It holds, says [${INVENTED}].` : 'It holds.',
      dispositions: ids.map((id) => ({ id, as: 'kept' })),
    };
  };
