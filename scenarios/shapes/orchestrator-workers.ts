/**
 * Orchestrator and workers: a root over leaves, two tiers. For many pieces of one kind of work that need no context of
 * their own. Here: a folder of Markdown documents, a worker for each. Do its relative links lead to a file?
 *
 *     npm run -s espalier -- run scenarios/shapes/orchestrator-workers.ts
 *     npm run -s espalier -- run scenarios/shapes/orchestrator-workers.ts --data node_modules
 *     npx node scenarios/shapes/orchestrator-workers.ts node_modules
 */
import { realpathSync } from 'node:fs';
import { access, glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CONTEXT_FLAG, defineLeaf, defineScenario, EspalierError, run } from 'espalier';
import type { FindingDraft, Leaf, Scenario } from 'espalier';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const ELSEWHERE = /(?:^|[/\\])(?:node_modules|dist|runs|\..+)$/;

/** A function of the command line's flags, for the tree depends on the folder: what is found decides how many work. */
export default async function linksOf({ data: folder = REPOSITORY }: { data?: string } = {}): Promise<Scenario> {
  const documents: string[] = [];
  for await (const path of glob('**/*.md', { cwd: folder, exclude: (path) => ELSEWHERE.test(path) }))
    documents.push(path);
  if (documents.length === 0) throw new EspalierError('invalid-input', `There is no Markdown document in ${folder}.`);
  return defineScenario({
    name: 'orchestrator-workers',
    description: 'Whether the relative links of Markdown documents lead to a file.',
    thesis: 'Every relative link in these documents leads to a file',
    domains: documents.sort().map((document) => worker(folder, document)),
    limits: { maxDepth: 1, deadline: '1m', concurrency: 8 },
  });
}

const worker = (folder: string, document: string): Leaf =>
  defineLeaf({
    // A name is one step of a path: it holds no slash.
    name: document.replaceAll(/[^\p{L}\p{N}_.-]+/gu, ' ').trim(),
    question: `Do the relative links of ${document} lead to a file?`,
    work: 'extraction',
    estimate: '10ms',
    run: async () => judged(document, await linksIn(join(folder, document))),
  });

type Link = { readonly target: string; readonly leads: boolean };

/** A broken link is critical: the brief has it word for word, however many documents there are. */
function judged(document: string, links: readonly Link[]): FindingDraft {
  const source = { kind: 'file', ref: document };
  if (links.length === 0) return { statement: `${document} has no relative link`, flags: [CONTEXT_FLAG], source };
  const broken = links.filter(({ leads }) => !leads).map(({ target }) => target);
  const about = { key: 'links', measure: 'broken links', value: broken.length, confidence: 0.9, source };
  if (broken.length === 0) return { ...about, stance: 1, statement: `${document}: every link leads to a file` };
  return {
    ...about,
    stance: -1,
    statement: `${document}: ${broken.length} of ${links.length} links lead nowhere: ${broken.join(', ')}`,
    critical: { rule: 'broken-link', reason: 'whoever follows it ends nowhere' },
  };
}

const CODE = /^ *(`{3,})[\s\S]*?^ *\1|`[^`\n]*`/gm;
/** Neither a URL, nor an anchor, nor a path from a root that only the website knows. */
const RELATIVE_LINK = /\]\((?![\w-]+:|[#/<])([^()\s#]+)/g;

async function linksIn(path: string): Promise<Link[]> {
  const text = (await readFile(path, 'utf8')).replaceAll(CODE, '');
  const targets = new Set([...text.matchAll(RELATIVE_LINK)].flatMap(([, target]) => target ?? []));
  const leadsTo = (target: string): Promise<boolean> =>
    access(join(dirname(path), decodeURI(target))).then(
      () => true,
      () => false,
    );
  return Promise.all([...targets].map(async (target) => ({ target, leads: await leadsTo(target) })));
}

// Run as a script, not imported.
const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  const [data] = process.argv.slice(2);
  const { brief, escalations } = await run(await linksOf(data === undefined ? {} : { data }));
  for (const { statement } of escalations) console.log(statement);
  console.log(`${brief.children.length} documents, ${escalations.length} with broken links`);
}
