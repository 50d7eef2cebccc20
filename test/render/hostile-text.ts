import fc from 'fast-check';

const PIECES = [
  ['\\`*_[]<>{}|~$#&;!()+-=:./@"\'%^ \n\r\t0123ab'.split('')],
  ['http://', 'https://x.y/', 'www.a.com', 'a@b.co', 'mailto:a@b.c', '//', '<b>', '<script>', '<!--', '-->'],
  ['&lt;', '&#60;', '](x)', '![x](y)', '[^1]', '[F1]: u', '**', '__', '```', '1. ', '- ', '# ', '> ', '---', '  '],
  ['\u001b[31m', '\u001b]8;;http://e.vil\u0007', '\u202e', '\u200b', '\ufe0f', '⟨', '⟨U+0041⟩', '\ud800', '\u00a0'],
  ['é', '漢', '👍', '⚠️', '\u0000', '\u009b'],
].flat(2);

/** Texts made of what has a meaning to Markdown, HTML or a terminal. */
const hostileText = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((pieces) => pieces.join(''));
export const anyText = fc.oneof(hostileText, fc.string({ unit: 'binary', maxLength: 60 }));
