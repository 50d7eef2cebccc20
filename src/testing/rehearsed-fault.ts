/** A fault to rehearse, as it is written. Apart from what performs it: options are read before a runtime is loaded. */
import { EspalierError } from '../errors.ts';

export type RehearsedStep = 'plan' | 'gather' | 'synthesize';
export type RehearsedFault = {
  path: string;
  step?: RehearsedStep;
  kind: 'hang' | 'throw' | 'silent' | 'invalid' | 'slow';
  /** For `slow`. */
  ms?: number;
};

const FAULT =
  /^(?<path>[^:=]+)(?::(?<step>plan|gather|synthesize))?=(?:(?<kind>hang|throw|silent|invalid)|slow:(?<ms>\d+))$/;

const LONGEST_MS = 2 ** 31 - 1; // what a timer can wait

/**
 * Reads `PATH[:plan|gather|synthesize]=hang|throw|silent|invalid|slow:MS`.
 * @throws EspalierError `invalid-input`
 */
export function parseRehearsedFault(text: string): RehearsedFault {
  const { path, step, kind, ms } = FAULT.exec(text)?.groups ?? {};
  if (path === undefined) {
    throw new EspalierError(
      'invalid-input',
      `The fault "${text}" cannot be read. Write PATH[:plan|gather|synthesize]=hang|throw|silent|invalid|slow:MS, such as "root/macro=hang".`,
    );
  }
  const where = step === undefined ? { path } : { path, step: step as RehearsedStep };
  if (kind === undefined) return { ...where, kind: 'slow', ms: Math.min(Number(ms), LONGEST_MS) };
  return { ...where, kind: kind as RehearsedFault['kind'] };
}
