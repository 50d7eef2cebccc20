import type { Activities } from '../ports/activities.ts';
import type { Decided } from './run.ts';

/** What was decided before the run stands in it, and what the asking has cost is spent. */
export const withDecided = (own: Activities, { decisions, spent }: Decided): Activities => ({
  ...own,
  async plan(input, io) {
    const { path } = input.task;
    const known = input.again ? undefined : decisions[path];
    if (!known) return own.plan(input, io);
    const expense = spent[path];
    if (expense) io.budget.reserve({}).settle(expense);
    return known;
  },
});
