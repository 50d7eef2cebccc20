/** The code of a leaf, as its author wrote it; the same whoever runs it. Breaks where the blow says so. */
import { atEnd, DEADLINE_MS, halfway, PATHS, workMs, type Blow, type Draft } from './tree.ts';

export type Hands = {
  readonly path: string;
  readonly sleep: (ms: number) => Promise<void>;
  /** Does not mind that nobody waits any more. */
  readonly sleepDeaf: (ms: number) => Promise<void>;
  readonly now: () => number;
  readonly say: (draft: Draft) => void;
  /** Starts another leaf, which takes as long as this one, and waits for it. */
  readonly spawn: () => unknown;
};
/** When the limit on requests is lifted again, unless it is a single leaf that is refused for good. */
const LIMITED_UNTIL_MS = 8_000;

export async function author(hands: Hands, blow: Blow): Promise<unknown> {
  const { path, sleep, say } = hands;
  askData(hands, blow);
  await sleep(workMs(path) / 2);
  say(halfway(path));
  if (path === PATHS.leaf && blow.tier === 'leaf') {
    const broken = await breaks(hands, blow);
    if (broken) return broken.instead;
  }
  await sleep(workMs(path) / 2);
  return [atEnd(path)];
}

async function breaks({ sleep, sleepDeaf, spawn }: Hands, { fault }: Blow): Promise<{ instead: unknown } | undefined> {
  switch (fault) {
    case 'hang':
      return new Promise(() => {});
    case 'throw':
      throw new Error('it broke');
    case 'silent':
      return { instead: undefined };
    case 'invalid':
      return { instead: { rubbish: true } };
    case 'slow':
      await sleepDeaf(DEADLINE_MS);
      return undefined;
    case 'late spawn':
      await sleep(DEADLINE_MS / 3);
      await spawn();
      return undefined;
    case 'storm':
      for (;;) {
        await Promise.resolve(spawn).then(
          (more) => more(),
          () => {},
        );
        await sleep(100);
      }
    default:
      return undefined;
  }
}

function askData({ path, now }: Hands, { fault, tier }: Blow): void {
  const isStruck = path === PATHS[tier] || (tier !== 'root synthesis' && path.startsWith(`${PATHS[tier]}/`));
  if (fault !== '429 storm' || !isStruck) return;
  if (tier !== 'leaf' && now() >= LIMITED_UNTIL_MS) return;
  throw Object.assign(new Error('429 Too Many Requests'), { status: 429 });
}
