/**
 * What the source text of a function shows of its reading. A text shows what is written in it, not what the functions
 * it calls do:
 *  1. `mayRead` is false only when the text shows that nothing of the kind can be read: what is handed on may be read.
 *  2. `literalsRead` holds only what is written out, and nothing that stands in a comment.
 */
type AnyFunction = (...args: never) => unknown;
type Given = { parameters: readonly string[]; body: string };

const NAME = '[\\p{ID_Start}$_][\\p{ID_Continue}$]*';
const BARE = new RegExp(`^(?:async\\s+)?(${NAME})\\s*=>`, 'u');
const HEAD = new RegExp(`^(?:async\\b\\s*)?(?:function\\b\\s*)?\\*?\\s*(?:${NAME})?\\s*\\(`, 'u');
const IS_NAME = new RegExp(`^${NAME}$`, 'u');
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
const OPENS = '([{';
const CLOSES = ')]}';
/** Texts, comments and patterns among the parameters may hold brackets. */
const QUOTES = `'"\`/`;

/** By which words a context gives what. */
const WORDS = { prior: ['prior', 'need'], sources: ['sources'] } as const;

/** Whether a function may read `prior`, `need` or `sources` of the context that it is given, as which parameter. */
export function mayRead(of: AnyFunction, field: 'prior' | 'sources', position = 0): boolean {
  const text = String(of);
  if (WORDS[field].some((word) => hasWord(text, word)) || hasWord(text, 'arguments')) return true;
  const given = givenTo(text);
  if (!given || given.parameters.some((any) => any.startsWith('...'))) return true;
  const { parameters, body } = given;
  const parameter = parameters[position] ?? '';
  if (parameter === '') return false;
  if (IS_NAME.test(parameter)) {
    return isHandedOn(parameter, body) || (field === 'prior' && isHandedOn(`${parameter}.task`, body));
  }
  if (!parameter.startsWith('{') || parameter.includes('...')) return true;
  if (field !== 'prior' || !hasWord(parameter, 'task') || /\btask\s*:\s*\{/.test(parameter)) return false;
  return /\btask\s*:/.test(parameter) || isHandedOn('task', body);
}

/** The names written out in `prior('…')` and `need('…')`, or in `sources.series('…')`. */
export function literalsRead(of: AnyFunction, field: 'prior' | 'sources'): string[] {
  const text = String(of).replace(COMMENT, '');
  const given = givenTo(text);
  if (!given) return [];
  const { parameters, body } = given;
  const parameter = parameters[0] ?? '';
  const found = WORDS[field].flatMap((word) => {
    const call = word === 'sources' ? ['sources', 'series'] : [word];
    const isDestructured = parameter.startsWith('{') && new RegExp(`\\b${word}\\b(?!\\s*:)`).test(parameter);
    if (!isDestructured && !IS_NAME.test(parameter)) return [];
    const chain = chained(isDestructured ? call : [parameter, ...call]);
    const literal = new RegExp(`${chain}\\s*\\(\\s*(['"\`])((?:(?!\\1|[\\\\$]).)*)\\1\\s*[,)]`, 'gu');
    return Array.from(body.matchAll(literal), ([, , name = '']) => name);
  });
  return [...new Set(found)];
}

const escaped = (name: string): string => name.replaceAll('$', '\\$');
const chained = (names: readonly string[]): string => `(?<![\\w$.])${names.map(escaped).join('\\s*\\??\\.\\s*')}`;
const hasWord = (text: string, word: string): boolean => new RegExp(`\\b${word}\\b`).test(text);

/** Whether a name, or a property of it, is used otherwise than for one of its properties: given to someone, for one. */
const isHandedOn = (name: string, body: string): boolean =>
  new RegExp(
    `(?<![\\w$])${name.split('.').map(escaped).join('\\s*\\??\\.\\s*')}(?![\\w$])(?!\\s*\\??\\.\\s*[\\w$])`,
  ).test(body);

/** The parameters as they are written, and all that follows; undefined when the text cannot be told apart. */
function givenTo(text: string): Given | undefined {
  const bare = BARE.exec(text);
  if (bare) return { parameters: [bare[1] ?? ''], body: text.slice(bare[0].length) };
  const head = HEAD.exec(text);
  if (!head || text.includes('[native code]')) return undefined;
  const parameters: string[] = [];
  let from = head[0].length;
  let open = 0;
  for (let at = from; at < text.length; at++) {
    const sign = text[at] ?? '';
    if (QUOTES.includes(sign)) return undefined;
    if (open === 0 && (sign === ')' || sign === ',')) {
      parameters.push(text.slice(from, at).trim());
      if (sign === ')') return { parameters, body: text.slice(at + 1) };
      from = at + 1;
    }
    if (OPENS.includes(sign)) open++;
    else if (CLOSES.includes(sign)) open--;
  }
  return undefined;
}
