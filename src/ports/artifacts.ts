/** Big outputs, which travel as references. */
import type { Artifact } from '../protocol/report.ts';

/** Where those of one run are kept, by the SHA-256 of their bytes. */
export type Artifacts = {
  keep(sha256: string, bytes: Uint8Array): void;
  bytes(sha256: string): Uint8Array | undefined;
};

export type ArtifactReader = {
  /**
   * The bytes behind the reference of an artifact. Of text: `new TextDecoder().decode(bytes)`.
   * @throws EspalierError `unknown-artifact`
   */
  read(ref: string): Uint8Array;
};
export type ArtifactShelf = ArtifactReader & {
  /**
   * Keeps text or bytes outside the report, which refers to them. The same name again replaces what it stood for.
   * @throws EspalierError `invalid-input` on a name that is none
   */
  keep(name: string, content: string | Uint8Array): Artifact;
};
