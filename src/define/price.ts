import { EspalierError } from '../errors.ts';
import { OBJECT, shown } from './check.ts';

const RATES = ['input', 'output', 'cacheRead', 'cacheWrite', 'webSearch'] as const;
const NEEDED: ReadonlySet<string> = new Set(['input', 'output']);

/** @throws EspalierError `invalid-input`, naming what of the price cannot be read */
export function checkPrice(model: string, price: unknown, where = ''): void {
  if (!OBJECT.isMet(price))
    throw invalid(`The price of "${model}"${where} is ${shown(price)}. Give { input, output }.`);
  const given = price as { readonly [key: string]: unknown };
  for (const rate of RATES) {
    const value = given[rate];
    if (value === undefined && !NEEDED.has(rate)) continue;
    if (typeof value === 'number' && value >= 0 && value < Infinity) continue;
    throw invalid(
      `The price of "${model}"${where} has ${rate}: ${shown(value)}. Give US dollars for a ${rate === 'webSearch' ? 'thousand searches' : 'million tokens'}.`,
    );
  }
  const unknown = Object.keys(given).find((key) => key !== 'long' && !(RATES as readonly string[]).includes(key));
  if (unknown !== undefined)
    throw invalid(`The price of "${model}"${where} has "${unknown}". Give any of ${RATES.join(', ')}, long.`);
  const { long } = given;
  if (long === undefined) return;
  const { above, ...rates } = (OBJECT.isMet(long) ? long : {}) as { [key: string]: unknown };
  if (!(typeof above === 'number' && above > 0)) {
    throw invalid(`The price of "${model}" has long: ${shown(long)}. Give { above, input, output }, above in tokens.`);
  }
  checkPrice(model, rates, ' for long prompts');
}

const invalid = (message: string): EspalierError => new EspalierError('invalid-input', message);
