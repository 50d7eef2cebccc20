import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runEspalier, TINY, workspace } from './command.ts';

/** One error, one warning, one note by text; one warning more by rehearsal. */
const FAULTY = `
import { writeFileSync } from 'node:fs';
import { defineDomain, defineLeaf, defineScenario } from 'espalier';
const read = ({ prior }, name) => prior(name);
export default defineScenario({
  name: 'faulty',
  thesis: 'It holds',
  domains: [
    defineLeaf({ name: 'a', run: () => ({ statement: 'a' }) }),
    defineLeaf({ name: 'b', run: ({ prior }) => ({ statement: 'b ' + prior('a') }) }),
    defineLeaf({ name: 'c', work: 'authoring', run: () => ({ statement: 'c' }) }),
    defineLeaf({
      name: 'd',
      needs: ['a', 'b'],
      run(context) {
        writeFileSync('executed.txt', '');
        console.log('from the leaf');
        return { statement: 'd ' + read(context, 'a') };
      },
    }),
    defineDomain({ name: 'e', charter: '', children: [defineLeaf({ name: 'f', run: () => ({ statement: 'f' }) })] }),
  ],
});`;
const here = (text: string): string =>
  text.replace("'espalier'", JSON.stringify(new URL('../../src/index.ts', import.meta.url).href));
const faulty = () => workspace({ 'faulty.ts': here(FAULTY) });

describe.concurrent('espalier check', () => {
  it('remarks on what it finds, and runs nothing', async () => {
    using at = faulty();
    const { code, stdout, stderr } = await runEspalier(['check', 'faulty.ts'], at.path);
    expect(stdout).toBe(`error root/b  hidden-dependency
  Reads the report of "a", as far as its text shows, without needing it: there
  is never one. Add "a" to its needs.

warning root/c  missing-verification
  Its work is authoring, and nothing says when that is done well. Give it a
  verify.

note root/e  single-child-tier
  Has one child, "f": there is nothing to bring together. Put the child in its
  place.

1 error, 1 warning, 1 note
`);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(existsSync(join(at.path, 'executed.txt'))).toBe(false);
  });

  it('rehearses when asked: then it executes the code, and observes', async () => {
    using at = faulty();
    const { code, stdout, stderr } = await runEspalier(['check', 'faulty.ts', '--rehearse', '--json'], at.path);
    const said = JSON.parse(stdout) as { remarks: { rule: string; path: string }[] };
    expect(said).toMatchObject({ scenario: 'faulty', isRehearsed: true });
    expect(said.remarks).toContainEqual({
      rule: 'needless-sequence',
      severity: 'warning',
      path: 'root/d',
      message:
        'Waits for "b", whose report it never reads, as the rehearsal observed. Remove it from needs, or read prior("b").',
    });
    expect(said.remarks).toHaveLength(4);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'from the leaf\n' });
    expect(readFileSync(join(at.path, 'executed.txt'), 'utf8')).toBe('');
  });

  it.each([
    ['none', 1],
    ['note', 1],
    ['warning', 1],
    ['error', 0],
  ])('lets %s pass, and exits with %i', async (severity, expected) => {
    using at = faulty();
    const { code } = await runEspalier(['check', 'faulty.ts', '--max-severity', severity], at.path);
    expect(code).toBe(expected);
  });

  it.each([
    ['none', 1],
    ['note', 0],
  ])('of notes alone: lets %s pass, and exits with %i', async (severity, expected) => {
    using at = workspace({
      'noted.ts': `import tiny from ${JSON.stringify(TINY)};
        const [macro] = tiny.domains;
        const one = { ...macro, children: [macro.children[0]], stages: [[macro.children[0]]] };
        export default { ...tiny, stages: [[one, tiny.domains[1]]] };`,
    });
    const { code, stdout } = await runEspalier(['check', 'noted.ts', '--max-severity', severity], at.path);
    expect(stdout).toMatch(/\n1 note\n$/);
    expect(code).toBe(expected);
  });

  it('takes the options that say which run is meant', async () => {
    using at = workspace();
    const well = await runEspalier(['check', TINY], at.path);
    expect(well).toEqual({ code: 0, stdout: 'Nothing to remark.\n', stderr: '' });
    const flat = await runEspalier(['check', TINY, '--max-depth', '1', '--domains', 'macro', '--json'], at.path);
    const { isRehearsed, remarks } = JSON.parse(flat.stdout) as { isRehearsed: boolean; remarks: object[] };
    expect(isRehearsed).toBe(false);
    expect(remarks).toEqual([expect.objectContaining({ rule: 'deeper-than-limit', path: 'root/macro' })]);
  });

  it('survives the stray errors of a scenario that it rehearses', async () => {
    using at = workspace({
      'stray.ts': here(`import { defineLeaf, defineScenario } from 'espalier';
        export default defineScenario({ name: 's', thesis: 't', domains: [defineLeaf({ name: 'l', run: async () => {
          void Promise.reject(new Error('unhandled'));
          await new Promise((done) => setTimeout(done, 20));
          return { statement: 'said' };
        } })] });`),
    });
    const { code, stderr } = await runEspalier(['check', 'stray.ts', '--rehearse'], at.path);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Stray error, the run goes on: unhandled\n' });
  });
});
