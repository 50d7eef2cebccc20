import { afterEach, describe, expect, it } from 'vitest';
import { sqliteStore } from '../../src/adapters/stores/sqlite-store.ts';
import { isPlainText } from '../../src/cli/kept-artifact.ts';
import { espalier } from '../../src/cli/program.ts';
import { defineLeaf } from '../../src/define/define-leaf.ts';
import { defineScenario } from '../../src/define/define-scenario.ts';
import { draft, world } from '../support/world.ts';
import { workspace } from './command.ts';

const TABLE = 'Größe,Wert\n1,2\n';
const IMAGE = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 255]);

const maker = defineLeaf({
  name: 'maker',
  run({ task, artifacts }) {
    artifacts.keep('table.csv', TABLE);
    artifacts.keep('chart.png', IMAGE);
    return draft(task.path);
  },
});
const idle = defineLeaf({ name: 'idle', run: ({ task }) => draft(task.path) });

/** A stored run, and the command on it. */
async function kept() {
  const at = workspace();
  const file = `${at.path}/runs.db`;
  const store = sqliteStore(file);
  const scenario = defineScenario({ name: 'kept', thesis: 'It holds', domains: [maker, idle] });
  await world(scenario, {}, { store, runId: 'abc' }).run();
  store.close();
  return {
    file,
    async show(...args: string[]) {
      const results: (string | Uint8Array)[] = [];
      let stderr = '';
      const code = await espalier(['show', 'abc', ...args, '--store', file], {
        result: (content) => void results.push(content),
        note: (text) => void (stderr += `${text}\n`),
        exit: () => Promise.resolve(),
      });
      return { code, stderr, bytes: Buffer.concat(results.map((one) => Buffer.from(one as Uint8Array))) };
    },
    [Symbol.dispose]: () => at[Symbol.dispose](),
  };
}

const terminal = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY');
const asTerminal = (isTTY: boolean): unknown =>
  Object.defineProperty(process.stdout, 'isTTY', { value: isTTY, configurable: true });
afterEach(() => {
  if (terminal) Object.defineProperty(process.stdout, 'isTTY', terminal);
  else Reflect.deleteProperty(process.stdout, 'isTTY');
});

describe('espalier show --artifact', () => {
  it('prints the bytes, and nothing else', async () => {
    asTerminal(false);
    using at = await kept();
    expect(await at.show('root/maker', '--artifact', 'table.csv')).toEqual({
      code: 0,
      stderr: '',
      bytes: Buffer.from(TABLE),
    });
    expect((await at.show('root/maker', '--artifact', 'chart.png')).bytes).toEqual(Buffer.from(IMAGE));
    expect((await at.show('root', '--artifact', 'root/maker#table.csv')).bytes).toEqual(Buffer.from(TABLE));
  });

  it('prints text to a terminal, and refuses to print what is binary', async () => {
    asTerminal(true);
    using at = await kept();
    expect((await at.show('root/maker', '--artifact', 'table.csv')).bytes).toEqual(Buffer.from(TABLE));
    expect(await at.show('root/maker', '--artifact', 'chart.png')).toEqual({
      code: 2,
      stderr: 'espalier: "chart.png" is binary, 6 bytes, and stdout is a terminal. Write it to a file: … > FILE.\n',
      bytes: Buffer.from(''),
    });
  });

  it.each([
    [['root/maker', '--artifact', 'x'], 'Node root/maker kept no artifact "x". It kept "table.csv", "chart.png".'],
    [['root/idle', '--artifact', 'x'], 'Node root/idle kept no artifact "x". It kept none.'],
    [['--artifact', 'x'], '--artifact prints what one node kept. Name it: espalier show RUN PATH --artifact NAME.'],
    [['root/maker', '--artifact', 'x', '--json'], '--artifact prints bytes as they are. Leave out --json.'],
  ])('says what is wrong with %j', async (args, message) => {
    using at = await kept();
    expect(await at.show(...args)).toEqual({ code: 2, stderr: `espalier: ${message}\n`, bytes: Buffer.from('') });
  });

  it('does not print bytes that are not those that were kept', async () => {
    using at = await kept();
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(at.file);
    database.prepare("UPDATE artifacts SET bytes = x'00' WHERE length(bytes) = 6").run();
    database.close();
    const { code, stderr, bytes } = await at.show('root/maker', '--artifact', 'chart.png');
    expect({ code, size: bytes.length }).toEqual({ code: 1, size: 0 });
    expect(stderr).toContain('The bytes of root/maker#chart.png are not those that were kept.');
  });
});

it.each([
  ['text with tabs and lines', 'a\tb\r\nÄ 日本\n', true],
  ['an escape sequence', 'a\u001b[2Jb', false],
  ['a C1 control', 'a\u009b2Jb', false],
])('%s: may be shown by a terminal, or not', (_, text, isPlain) => {
  expect(isPlainText(new TextEncoder().encode(text))).toBe(isPlain);
});
