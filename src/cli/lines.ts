import { closeSync, openSync, readSync } from 'node:fs';

const NEW_LINE = 10;

/** The lines of a file, a piece of it at a time. Of one that is no UTF-8, an empty line. */
export function* linesOf(file: string): Iterable<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const lineOf = (bytes: Uint8Array): string => {
    try {
      return decoder.decode(bytes);
    } catch {
      return '';
    }
  };
  const descriptor = openSync(file, 'r');
  try {
    const piece = Buffer.alloc(1 << 16);
    let begun: Buffer[] = [];
    for (let read = readSync(descriptor, piece); read > 0; read = readSync(descriptor, piece)) {
      let from = 0;
      for (let to = piece.indexOf(NEW_LINE); to !== -1 && to < read; to = piece.indexOf(NEW_LINE, from)) {
        yield lineOf(Buffer.concat([...begun, piece.subarray(from, to)]));
        begun = [];
        from = to + 1;
      }
      if (from < read) begun.push(Buffer.from(piece.subarray(from, read)));
    }
    if (begun.length > 0) yield lineOf(Buffer.concat(begun));
  } finally {
    closeSync(descriptor);
  }
}
