/** One cap on work in progress for a whole run. Waiting orchestrators hold nothing. */
export type Slots = {
  /** Asks for a slot. `granted` is called later, never from within; longer estimates go first, unknown ones before. */
  request(ask: { estimateMs: number | undefined; granted: () => void; revoked: () => void }): Slot;
};
export type Slot = {
  /** Gives the slot back, or withdraws the request. Idempotent. */
  release(): void;
};
