import { describe, expect, test, vi } from 'vitest';
import { literalsRead, mayRead } from '../../src/check/function-text.ts';

type Context = any;
type Read = (...args: any) => unknown;
const other = (...args: unknown[]): unknown => args;

describe('that nothing is read is said only where the text shows it', () => {
  const READS: [what: string, of: Read][] = [
    ['prior by its name', ({ prior }: Context) => prior('a')],
    ['a need by its name', ({ need }: Context) => need('a')],
    ['prior of the context', (context: Context) => context.prior('a')],
    ['prior of the task', ({ task }: Context) => task.prior],
    ['the context, handed on', (context: Context) => other(context)],
    ['the context, spread', (context: Context) => ({ ...context })],
    [
      'the context under another name',
      (context: Context) => {
        const mine = context;
        return mine.attempt;
      },
    ],
    ['a field by a computed name', (context: Context) => context[['pri', 'or'].join('')]],
    ['the rest of the context', ({ attempt, ...rest }: Context) => [attempt, rest]],
    ['the task, handed on', ({ task }: Context) => other(task)],
    ['the task of the context, handed on', (context: Context) => other(context.task)],
    ['the task under another name', ({ task: mine }: Context) => mine.path],
    ['all that it is given', (...given: Context[]) => given],
    [
      'arguments',
      function () {
        return other(arguments);
      },
    ],
    ['what is bound', other.bind(undefined)],
    ['a double', vi.fn()],
    ['a parameter with brackets in a text', ({ attempt = '),(', task }: Context) => other(attempt, task)],
    [
      'a method',
      {
        run(context: Context) {
          return other(context);
        },
      }.run,
    ],
  ];
  test.each(READS)('may read: %s', (_, of) => expect(mayRead(of, 'prior')).toBe(true));

  const READS_NONE: [what: string, of: Read][] = [
    ['nothing given', () => 1],
    ['other fields by name', ({ attempt, gap }: Context) => [attempt, gap]],
    ['other fields of the context', (context: Context) => [context.attempt, context.sources.series('a')]],
    ['other fields of the task', ({ task }: Context) => [task.path, task?.question]],
    ['other fields of the task of the context', (context: Context) => context.task.path],
    ['fields picked out of the task', ({ task: { path, question } }: Context) => [path, question]],
    ['an async arrow without brackets', async (context: Context) => context.attempt],
    [
      'a function',
      function named(context: Context) {
        return context.attempt;
      },
    ],
    [
      'a method',
      {
        async run({ attempt }: Context) {
          return attempt;
        },
      }.run,
    ],
  ];
  test.each(READS_NONE)('reads none: %s', (_, of) => expect(mayRead(of, 'prior')).toBe(false));

  test('the second of what is given', () => {
    const handsOn = (findings: Context, context: Context) => other(context, findings);
    expect(mayRead(handsOn, 'prior', 1)).toBe(true);
    expect(mayRead((...given: Context[]) => given, 'prior', 1)).toBe(true);
    expect(mayRead((findings: Context, { task }: Context) => [findings, task.path], 'prior', 1)).toBe(false);
    expect(mayRead(([finding]: Context) => finding, 'prior', 1)).toBe(false);
  });

  test('a task holds no sources to read', () => {
    expect(mayRead(({ task }: Context) => other(task), 'sources')).toBe(false);
    expect(mayRead(({ sources }: Context) => other(sources), 'sources')).toBe(true);
  });
});

describe('what is written out', () => {
  test('each once, of the context and of nothing else', () => {
    const own = { prior: (name: string) => name };
    const of = ({ prior, sources, task }: Context) => [
      prior('a'),
      prior('b'),
      prior('a'),
      own.prior('not mine'),
      prior(`${task.path}`),
      sources.series('jobs/a', { asOf: '2008-01-01' }),
      sources.series(`jobs/b`),
    ];
    expect(literalsRead(of, 'prior')).toEqual(['a', 'b']);
    expect(literalsRead(of, 'sources')).toEqual(['jobs/a', 'jobs/b']);
  });

  test('through the context by any name', () => {
    const of = ($c: Context) => [$c.prior('a'), $c.need('b'), $c.sources.series('jobs/a'), other.name];
    expect(literalsRead(of, 'prior')).toEqual(['a', 'b']);
    expect(literalsRead(of, 'sources')).toEqual(['jobs/a']);
  });

  test('not in a comment, nor under another name', () => {
    const commented = ({ prior }: Context) => {
      // once it was prior('a')
      return prior;
    };
    expect(literalsRead(commented, 'prior')).toEqual([]);
    expect(literalsRead(({ prior: before }: Context) => before('a'), 'prior')).toEqual([]);
    expect(literalsRead(other.bind(undefined), 'prior')).toEqual([]);
  });
});
