/** How the command line fails: one line on stderr, and an exit code. */
import { debuglog, getSystemErrorMessage } from 'node:util';
import { CommanderError } from 'commander';
import { EspalierError, type EspalierErrorCode } from '../errors.ts';
import { escapeTerminal } from '../render/escape-terminal.ts';
import { EXIT } from './exit-code.ts';

const debug = debuglog('espalier');

/** What a person can put right: wrong input. @see EspalierError */
export const misuse = (message: string, cause?: unknown): EspalierError =>
  new EspalierError('invalid-input', message, { cause });

/** Any thrown thing in one line. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return escapeTerminal(/\S.*/.exec(text)?.[0].trimEnd() ?? '');
}

/** Why a file or stream could not be used, in the system's words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return oneLine(error);
  // EEXIST comes from making a directory where a file is.
  if ('code' in error && error.code === 'EEXIST') return 'there is a file of that name';
  return getSystemErrorMessage(error.errno);
}

// "error: unknown option '--foo'\n(Did you mean --out?)" says what it is; our line also says what to do.
function commandLineFault(error: CommanderError, commands: readonly string[]): string {
  const [what = '', hint = ''] = error.message.replace(/^error: /, '').split('\n');
  const among = error.code === 'commander.unknownCommand' && `There are ${listed(commands)}.`;
  const advice = hint.replace(/^\((.*)\)$/, '$1') || among || 'See "espalier --help".';
  return `${escapeTerminal(what.replace(/\.$/, ''))}. ${escapeTerminal(advice)}`;
}

const INTERNAL: ReadonlySet<EspalierErrorCode> = new Set(['host-fault', 'stopped']);
/** Faults that no other input would mend. */
const NOT_OF_INPUT: ReadonlySet<EspalierErrorCode> = new Set([
  'store-fault',
  'run-busy',
  'claim-lost',
  'rejected',
  'server-fault',
]);

const listed = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** What to print and how to exit when a command has thrown. Without a line, everything has been said. */
export function failureOf(error: unknown, commands: readonly string[]): { line?: string; code: number } {
  debug('%o', error);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { code: EXIT.complete };
    if (error.code === 'commander.help') return { code: EXIT.misuse };
    return { line: commandLineFault(error, commands), code: EXIT.misuse };
  }
  if (EspalierError.isInstance(error) && !INTERNAL.has(error.code)) {
    return { line: oneLine(error), code: NOT_OF_INPUT.has(error.code) ? EXIT.failed : EXIT.misuse };
  }
  return {
    line: `Internal error: ${oneLine(error)}. Run again with NODE_DEBUG=espalier to see where.`,
    code: EXIT.failed,
  };
}
