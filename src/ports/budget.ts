/** How work that costs something spends what it was granted: reserved before, settled after. */
/** Tokens: in and out together. */
export type Cost = { readonly usd?: number; readonly tokens?: number };
/** What something did cost. */
export type Expense = {
  readonly usd?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /**
   * Somebody else has counted it, and will be paid: what does not fit the node's grant is taken off what the whole run
   * may still spend. Without, no other node has to believe it.
   */
  readonly isBilled?: true;
};

export type Spending = {
  /** What this node could reserve now; a dimension that is absent is not limited. */
  readonly left: () => Cost;
  /**
   * Sets this much aside, or throws an error with the code `budget`, which ends the attempt for good unless it is
   * caught. What is not settled by the end of the attempt is released.
   * @example
   * const reservation = budget.reserve({ usd: 0.02, tokens: 4_000 });
   * const { text, inputTokens, outputTokens, usd } = await ask(model, { maxTokens: 1_000 });
   * reservation.settle({ usd, inputTokens, outputTokens });
   */
  readonly reserve: (cost: Cost) => Reservation;
  /** Books a small amount at once; throws like `reserve` when it does not fit, and books nothing. */
  readonly spend: (expense: Expense) => void;
};
export type Reservation = {
  /**
   * Books what it did cost, and gives the rest back. What exceeds the reservation is flagged, and booked only as far
   * as anything is left. To settle twice is harmless.
   */
  readonly settle: (expense: Expense) => void;
  /** Gives all of it back. */
  readonly release: () => void;
};
