/** The as-of date. It needs no schema: the command line checks it before anything heavy is loaded. */
import { EspalierError } from '../errors.ts';

const SHAPE = /^\d{4}-\d\d-\d\d$/;

/** `2008-02-30` has the shape and is no day: it comes back as `2008-03-01`, or not at all. */
function isDay(text: unknown): boolean {
  if (typeof text !== 'string' || !SHAPE.test(text)) return false;
  const day = new Date(text);
  return !Number.isNaN(day.valueOf()) && day.toISOString().startsWith(text);
}

/** @throws EspalierError `invalid-input` */
export function checkAsOf(asOf: string): void {
  if (isDay(asOf)) return;
  throw new EspalierError('invalid-input', `The as-of date "${asOf}" is not a calendar date. Write it as YYYY-MM-DD.`);
}
