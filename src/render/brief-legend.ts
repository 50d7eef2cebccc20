/** The words and figures of a brief, explained to a reader who has met none of them. Only those the brief uses. */
import { section } from './markdown.ts';
import type { Reading } from './reading.ts';

const TWELVE_ONE = /\b12-1 (?:relative )?momentum\b/;

/** The last section of a brief. */
export function howToRead({ report, findings }: Reading): string[] {
  const { assessment, children, relations, conflicts, escalations, gaps } = report;
  const isSaid = (words: RegExp): boolean =>
    findings.some(({ statement, critical }) => words.test(`${statement} ${critical?.reason ?? ''}`));
  const entries: readonly (readonly [isUsed: boolean, term: string, meaning: string])[] = [
    [
      assessment?.conviction !== undefined,
      'Conviction',
      'how far the evidence leans, from −100 (against the thesis) to +100 (for it). It is the balance of the evidence, ' +
        'no forecast and no probability of return. From +25 on the thesis is supported, from −25 on contradicted, ' +
        'between them not established. A critical finding against the thesis holds it at +20 or below.',
    ],
    [
      assessment !== undefined,
      'Coverage',
      'the share of the work that could say something. The less it is, the nearer to 0 conviction stays. ' +
        'What is missing stands under Gaps.',
    ],
    [assessment !== undefined, 'Dissent', '0 % when all parts lean one way, 50 % when they are evenly split.'],
    [
      children.some((child) => child.assessment),
      'Leans (log-odds)',
      'the findings of one domain, pooled. 0 is even; up to 0.25 either way is too little to call; ' +
        '+1 is odds of about 3 to 1 for the thesis, +2 of 7 to 1; below 0 the same against it.',
    ],
    [
      relations.length > 0,
      'Strength',
      'of a contradiction or a reinforcement: the weaker of the two leanings, without its sign.',
    ],
    [
      relations.length + conflicts.length > 0,
      'Contradiction and conflict',
      'a contradiction is between two children that lean opposite ways; a conflict is among the findings of ' +
        'one node, where the lighter side has a good part of the weight. Neither is settled here: both sides stand.',
    ],
    [
      findings.length > 0,
      'Stance and confidence',
      'the stance is −1 (fully against the thesis) to +1 (fully for it), within 0.1 of 0 neutral; ' +
        'the confidence is how far to rely on it. A finding marked as context is told and does not vote.',
    ],
    [
      findings.length + conflicts.length > 0,
      'Weight',
      'confidence times stance, without its sign; three times that when critical. Of several findings it is the sum.',
    ],
    [
      escalations.length > 0,
      'Critical',
      'held by the rule it names to be too important to lose, so it reaches this brief word for word, whatever a ' +
        'synthesis made of it.',
    ],
    [
      gaps.some(({ needsHuman }) => needsHuman),
      'Needs a human',
      'of a gap: no attempt was left, and another would most likely fail as the last one did, so somebody has to look ' +
        'at why.',
    ],
    [
      isSaid(/\brobust z\b/i),
      'Robust z',
      'in a finding: how unusual the figure is in its own history, counted in usual deviations from the middle ' +
        '(the median), so that a few extreme years do not distort it. Beyond 3 either way is rare.',
    ],
    [
      findings.some(({ statement, unit }) => TWELVE_ONE.test(statement) || TWELVE_ONE.test(unit ?? '')),
      '12-1 momentum',
      'the move of a price from twelve months ago to one month ago: the last month is left out, since it tends to ' +
        'reverse. Relative momentum is that of the price over its benchmark.',
    ],
    [
      isSaid(/\(t -?\d/),
      't',
      'in a finding: how many times its own uncertainty a move is. Within 2 either way it could well be chance.',
    ],
    [
      findings.some(({ source }) => source.asOf !== undefined),
      'Observed',
      'the date of the last observation that a finding rests on; of monthly data the first day of its month. ' +
        'It is earlier than the as-of date of the brief, since figures are published with a delay.',
    ],
    [
      [report, ...children].some((each) => each.retention),
      'What a synthesis passed up',
      'signal kept is the share of the incoming weight; criticals verbatim the share of critical findings, unchanged; ' +
        'numbers kept the share of the numbers; numbers made up are in its text and in no finding.',
    ],
  ];
  return section(
    'How to read this',
    entries.flatMap(([isUsed, term, meaning]) => (isUsed ? `- **${term}**: ${meaning}` : [])),
  );
}
