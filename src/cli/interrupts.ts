/** ^C: the first asks for what there is, the second ends at once. SIGTERM counts as one. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
// npm passes a ^C on to its script, which has also had it from the terminal: within this time it is the same one.
const NPM_ECHO_MS = 250;

export type Interrupts = {
  readonly wasInterrupted: boolean;
  /** Gives ^C its usual meaning back. */
  release(): void;
};

/** Listens until released. `first` is called once, `second` on every signal after it. */
export function onInterrupt(first: () => void, second: () => void): Interrupts {
  const echoMs = process.env['npm_lifecycle_event'] === undefined ? 0 : NPM_ECHO_MS;
  let interruptedAt: number | undefined;
  const listener = (): void => {
    if (interruptedAt === undefined) {
      interruptedAt = performance.now();
      first();
    } else if (performance.now() - interruptedAt >= echoMs) second();
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    get wasInterrupted() {
      return interruptedAt !== undefined;
    },
    release() {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}
