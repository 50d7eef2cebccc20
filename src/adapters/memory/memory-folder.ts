/**
 * A folder of memories: `root/MEMORY.md`, `root/macro/MEMORY.md` and so on, one for each orchestrator.
 *  1. A file is Markdown for people. Only lines that a run has written, `- [run … as of …] …` under "Learned by runs",
 *     are ever removed: repeated ones, and the oldest when a file has grown too long.
 *  2. A file is replaced as a whole, or not at all. Runs of several processes add to it one after another.
 *  3. What was learned of a later day is not read as of an earlier one.
 *  4. What a run learned may be in the words of a page or a tool: nothing of it is hidden, and none of it is HTML.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shown } from '../../define/check.ts';
import { EspalierError } from '../../errors.ts';
import type { Lesson, Memory } from '../../ports/memory.ts';
import { visibleLine } from '../../protocol/data-block.ts';
import { nameOf, Path } from '../../protocol/path.ts';
import { withLock } from './lock.ts';

export type MemoryFolderOptions = {
  /** Up to so many bytes a file may have before the oldest lessons are forgotten. Default 16,000. */
  readonly longest?: number;
};

const LONGEST = 16_000;
const LEAST = 1_000;
const LONGEST_LESSON = 400;
const HEADING = '## Learned by runs';
const LEARNED = /^- \[run (\S+) as of (\d{4}-\d\d-\d\d)\] (.*)$/;

/**
 * Memories in files, for a scenario's `memory`. Nothing is made before there is something to remember.
 * @throws EspalierError `invalid-definition`
 * @example defineScenario({ …, memory: memoryFolder('memory') })
 */
export function memoryFolder(folder: string | URL, { longest = LONGEST }: MemoryFolderOptions = {}): Memory {
  if (!(folder instanceof URL) && (typeof folder !== 'string' || folder === '')) {
    throw invalid(`memoryFolder was given ${shown(folder)}. Give the path of a folder.`);
  }
  if (!Number.isInteger(longest) || longest < LEAST) {
    throw invalid(`memoryFolder has longest: ${shown(longest)}. Give a whole number of at least ${LEAST}.`);
  }
  const root = folder instanceof URL ? fileURLToPath(folder) : folder;
  const fileOf = (path: string): string => {
    if (Path.safeParse(path).success) return join(root, ...path.split('/'), 'MEMORY.md');
    throw invalid(`There is no memory of ${JSON.stringify(path)}. Give the path of a node.`);
  };
  return {
    read(path, asOf) {
      const lines = textOf(fileOf(path)).split('\n');
      return cutTo(
        longest,
        lines
          .filter((line) => asOf === undefined || !isLater(line, asOf))
          .join('\n')
          .trim(),
      );
    },
    append(path, lessons) {
      if (lessons.length === 0) return;
      const file = fileOf(path);
      mkdirSync(dirname(file), { recursive: true });
      withLock(`${file}.lock`, () => {
        const text = withLessons(textOf(file) || blank(path), lessons, longest);
        const draft = `${file}.tmp`;
        writeFileSync(draft, text);
        renameSync(draft, file);
      });
    },
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

const blank = (path: string): string => `# Memory of ${nameOf(path)}

Read whenever this node plans. Write here what should be known: it stays. Runs add to the end; the oldest of what they
have added is forgotten when the file grows too long.

## Strategy

${HEADING}
`;

function withLessons(text: string, lessons: readonly Lesson[], longest: number): string {
  const added = [...new Map(lessons.map(lineOf).map((line) => [lessonIn(line), line])).values()];
  const repeated = new Set(added.map(lessonIn));
  const lines = text
    .trimEnd()
    .split('\n')
    .filter((line) => !repeated.has(lessonIn(line)));
  if (!lines.includes(HEADING)) lines.push('', HEADING);
  const start = lines.indexOf(HEADING) + 1;
  const next = lines.findIndex((line, at) => at >= start && /^#{1,2} /.test(line));
  let end = next === -1 ? lines.length : next;
  while (end > start && lines[end - 1]?.trim() === '') end--;
  const gap = end === start ? [''] : [];
  lines.splice(end, 0, ...gap, ...added);
  for (let bytes = sizeOf(lines); bytes > longest; bytes = sizeOf(lines)) {
    const oldest = lines.findIndex((line) => LEARNED.test(line));
    if (oldest === -1) break; // the rest is people's
    lines.splice(oldest, 1);
  }
  return `${lines.join('\n')}\n`;
}

const lineOf = ({ runId, asOf, text }: Lesson): string =>
  `- [run ${runId} as of ${asOf}] ${visibleLine(text).replaceAll('<', '‹').slice(0, LONGEST_LESSON).toWellFormed()}`;
/** What was learned, whoever learned it; undefined of a line that no run wrote. */
const lessonIn = (line: string): string | undefined => LEARNED.exec(line)?.[3];
const isLater = (line: string, asOf: string): boolean => (LEARNED.exec(line)?.[2] ?? '') > asOf;
const sizeOf = (lines: readonly string[]): number => Buffer.byteLength(lines.join('\n')) + 1;

function cutTo(longest: number, text: string): string {
  const bytes = Buffer.from(text);
  return bytes.length <= longest
    ? text
    : `${bytes
        .subarray(0, longest)
        .toString()
        .replace(/\uFFFD+$/, '')}\n[cut]`;
}

const invalid = (message: string): EspalierError => new EspalierError('invalid-definition', message);
