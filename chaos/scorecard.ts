/** Every blow against both, and the table that comes of it. */
import type { Cell } from './found.ts';
import { ours } from './ours.ts';
import { promises } from './promises.ts';
import { BLOWS, type Blow } from './tree.ts';

export type Row = Blow & { readonly ours: Cell; readonly all: Cell; readonly settled: Cell };

export async function scorecard(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const blow of BLOWS) {
    rows.push({
      ...blow,
      ours: await ours(blow),
      all: await promises(blow, 'all'),
      settled: await promises(blow, 'settled'),
    });
  }
  return rows;
}

/** What must not be: a finding that somebody had found and nobody was told, or a brief after the deadline. */
export const faultsIn = (rows: readonly Row[]): string[] =>
  rows.flatMap(({ fault, tier, ours }) => {
    const lost = ours.found - ours.kept;
    const lostCriticals = ours.criticalsFound - ours.criticalsKept;
    return [
      ...(lost > 0 ? [`${fault} at a ${tier}: ${lost} findings were lost`] : []),
      ...(lostCriticals > 0 ? [`${fault} at a ${tier}: ${lostCriticals} critical findings were lost`] : []),
      ...(ours.lateMs > 0 ? [`${fault} at a ${tier}: ${ours.lateMs} ms late`] : []),
      ...(ours.leftBehind ? [`${fault} at a ${tier}: ${ours.leftBehind} left behind`] : []),
    ];
  });

const HEAD = ['fault', 'tier', 'outcome', 'findings', 'criticals', 'late ms', 'Promise.all', 'Promise.allSettled'];

export function tableOf(rows: readonly Row[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(HEAD),
    line(HEAD.map(() => '---')),
    ...rows.map(({ fault, tier, ours, all, settled }) =>
      line([
        fault,
        tier,
        ours.outcome,
        findingsOf(ours),
        criticalsOf(ours),
        `${ours.lateMs}`,
        brief(all),
        brief(settled),
      ]),
    ),
  ];
}
const findingsOf = ({ kept, found }: Cell): string => `${kept} of ${found}`;
const criticalsOf = ({ criticalsKept, criticalsFound }: Cell): string => `${criticalsKept} of ${criticalsFound}`;
const brief = (cell: Cell): string => {
  const late = cell.lateMs > 0 ? `, ${cell.lateMs} ms late` : '';
  return `${cell.outcome}: ${findingsOf(cell)}, ${criticalsOf(cell)}${late}`;
};
