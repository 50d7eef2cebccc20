/** What other nodes have said and kept, for scenarios in which undeclared reads are observed and not refused. */
import type { Artifact, Outcome, Report } from '../protocol/report.ts';
import { bodyOf } from '../tier/synthesis-check.ts';

export type SharedReads = {
  /** A node has ended. */
  note(outcome: Outcome): void;
  /** A node that has not ended yet may have kept it. */
  noteArtifact(artifact: Artifact): void;
  report(path: string): Report | undefined;
  artifact(ref: string): Artifact | undefined;
};

export function sharedReads(): SharedReads {
  const reports = new Map<string, Report>();
  const artifacts = new Map<string, Artifact>();
  const noteArtifact = (artifact: Artifact): void => void artifacts.set(artifact.ref, artifact);
  return {
    note(outcome) {
      if (outcome.kind === 'report') reports.set(outcome.path, outcome);
      bodyOf(outcome)?.artifacts.forEach(noteArtifact);
    },
    noteArtifact,
    report: (path) => reports.get(path),
    artifact: (ref) => artifacts.get(ref),
  };
}
