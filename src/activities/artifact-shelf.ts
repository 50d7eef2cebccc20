/**
 * A node's only way to big outputs: what it keeps travels as a reference, and what it was given a reference to it reads.
 *  1. Nothing else can be read, neither what siblings keep nor what is guessed, unless the scenario observes such reads.
 *  2. What is read has the digest that its reference says.
 */
import { hash } from 'node:crypto';
import { EspalierError } from '../errors.ts';
import type { ArtifactReader, Artifacts, ArtifactShelf } from '../ports/artifacts.ts';
import { FindingKey } from '../protocol/finding.ts';
import type { Artifact, UnsealedReport } from '../protocol/report.ts';

/** Reads what these reports refer to. */
export function artifactReader(
  kept: Artifacts,
  given: Iterable<Pick<UnsealedReport, 'artifacts'>>,
  undeclared: (ref: string) => Artifact | undefined = () => undefined,
): ArtifactReader {
  return {
    read(ref) {
      const artifact = firstOf(given, ref) ?? undeclared(ref);
      const bytes = artifact && kept.bytes(artifact.sha256);
      if (bytes && sha256Of(bytes) === artifact.sha256) return bytes;
      throw new EspalierError(
        'unknown-artifact',
        artifact
          ? `The artifact "${ref}" is not kept any more, or was changed. Run the node that made it again.`
          : `The artifact "${ref}" is in no report that this node was given. Let it need the node that keeps it.`,
      );
    },
  };
}

export function artifactShelf(
  path: string,
  kept: Artifacts,
  prior: readonly Pick<UnsealedReport, 'artifacts'>[],
  note: (artifact: Artifact) => void,
  undeclared?: (ref: string) => Artifact | undefined,
): ArtifactShelf {
  const own = new Map<string, Artifact>();
  return {
    read: (ref) => artifactReader(kept, [{ artifacts: [...own.values()] }, ...prior], undeclared).read(ref),
    keep(name, content) {
      if (!FindingKey.safeParse(name).success) {
        throw new EspalierError(
          'invalid-input',
          `An artifact cannot be called ${JSON.stringify(name)}. Use 1 to 128 characters without "/", "#" or "~".`,
        );
      }
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content);
      const artifact: Artifact = { bytes: bytes.length, ref: `${path}#${name}`, sha256: sha256Of(bytes) };
      kept.keep(artifact.sha256, bytes);
      own.set(artifact.ref, artifact);
      note(artifact);
      return artifact;
    },
  };
}

/** The path of the node that keeps what a reference is to; empty for what is no reference. */
export const keeperOf = (ref: string): string => ref.slice(0, Math.max(0, ref.lastIndexOf('#')));

function firstOf(given: Iterable<Pick<UnsealedReport, 'artifacts'>>, ref: string): Artifact | undefined {
  for (const { artifacts } of given) {
    const artifact = artifacts.find((one) => one.ref === ref);
    if (artifact) return artifact;
  }
  return undefined;
}

const sha256Of = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');
