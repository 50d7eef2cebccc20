/** `espalier doctor`: whether all is well here, and what to do where it is not. */
import { escapeTerminal } from '../render/escape-terminal.ts';
import type { Style } from '../render/paint.ts';
import { wrapText } from '../render/text-layout.ts';
import { checkEnvironment } from './doctor-environment.ts';
import { checkStore } from './doctor-store.ts';
import { EXIT } from './exit-code.ts';
import type { StoreFlags } from './open-store.ts';
import type { Output } from './output.ts';
import { paintFor, widthOf } from './screen.ts';

export type DoctorFlags = StoreFlags & { json?: boolean };
/** `note`: good to know, and nothing is broken. */
export type Check = { what: string; verdict: 'ok' | 'note' | 'problem'; says: string };

const STYLES: Readonly<Record<Check['verdict'], Style>> = { ok: 'green', note: 'yellow', problem: 'red' };

export async function doctorCommand(flags: DoctorFlags, output: Output): Promise<number> {
  const checks = [...checkEnvironment(), ...(await checkStore(flags))];
  const isWell = checks.every(({ verdict }) => verdict !== 'problem');
  if (flags.json) output.result(`${JSON.stringify({ isWell, checks }, null, 2)}\n`);
  else {
    const width = widthOf(process.stdout);
    const paint = paintFor(process.stdout);
    const lines = checks.flatMap(({ what, verdict, says }) => {
      const label = `${verdict.padEnd(8)} `;
      const [first = '', ...rest] = wrapText(escapeTerminal(`${what}: ${says}`), width, label);
      return [`${paint(STYLES[verdict], label)}${first.slice(label.length)}`, ...rest];
    });
    output.result(`${lines.join('\n')}\n`);
  }
  return isWell ? EXIT.complete : EXIT.failed;
}
