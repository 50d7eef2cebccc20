import type { Rule } from '../remark.ts';
import { namesAnotherAgent } from './agents.ts';
import { overcommittedBudget } from './budgets.ts';
import { hiddenDependency, needlessSequence } from './dependencies.ts';
import { deeperThanLimit } from './depth.ts';
import { strongestModel } from './models.ts';
import { earlySynthesis } from './quorum.ts';
import { undeclaredSource, unreadSource } from './sources.ts';
import { deadlineTooShort, tierNotWorthIt } from './time.ts';
import { missingVerification } from './verification.ts';
import { flatHeap, singleChildTier, tierTooWide } from './width.ts';

/** The gravest first. */
export const RULES: readonly Rule[] = [
  hiddenDependency,
  undeclaredSource,
  needlessSequence,
  unreadSource,
  namesAnotherAgent,
  missingVerification,
  strongestModel,
  deeperThanLimit,
  deadlineTooShort,
  overcommittedBudget,
  flatHeap,
  tierTooWide,
  singleChildTier,
  tierNotWorthIt,
  earlySynthesis,
];
