/** What orchestrators remember from run to run, in words: for people as much as for planners. */
export type Memory = {
  /**
   * What the orchestrator at `path` remembers, as Markdown; empty when nothing. Of what runs have taught, only what was
   * known as of `asOf` (`YYYY-MM-DD`), when it is given.
   */
  read(path: string, asOf?: string): string;
  /** Adds what a run has taught. What people have written there stays. */
  append(path: string, lessons: readonly Lesson[]): void;
};
export type Lesson = {
  readonly runId: string;
  /** The as-of date of the run, or the day on which it was made. */
  readonly asOf: string;
  /** One line. */
  readonly text: string;
};
