/** The distributed host, whose packages are optional: loaded when it is asked for. */
import { resolve } from 'node:path';
import { artifactFolder } from '../adapters/artifacts/artifact-folder.ts';
import { EspalierError } from '../errors.ts';
import type { RunHost } from '../runtime/run.ts';
import { misuse } from './misuse.ts';

export type HostFlags = {
  host?: 'in-process' | 'restate';
  /** The URL of the Restate server's ingress. */
  ingress?: string;
  /** The folder that its workers share. */
  artifacts?: string;
  header?: SentHeaders;
};
/** By name. Kept nowhere: they may be secrets. */
export type SentHeaders = Readonly<Record<string, string>>;
/** Of the server that performs a run. Absolute paths. */
export type Elsewhere = { ingress: string; artifacts?: string };
const INGRESS = 'http://127.0.0.1:8080';

/** @throws EspalierError `missing-peer` when its packages are not installed */
export async function loadRestate(): Promise<typeof import('../restate.ts')> {
  try {
    return await import('../restate.ts');
  } catch (cause) {
    const what =
      'The packages of the distributed host are not installed. Run: npm install @restatedev/restate-sdk @restatedev/restate-sdk-clients';
    throw new EspalierError('missing-peer', what, { cause });
  }
}

/** Where a run is to be performed, when it is not here. */
export function elsewhere({ host, ingress, artifacts, header }: HostFlags): Elsewhere | undefined {
  if (host === 'restate') {
    return { ingress: ingress ?? INGRESS, ...(artifacts !== undefined && { artifacts: resolve(artifacts) }) };
  }
  if (ingress !== undefined) throw misuse('--ingress names a Restate server, but the run is here. Add --host restate.');
  if (artifacts !== undefined) throw misuse('--artifacts is for workers, but the run is here. Add --host restate.');
  if (header !== undefined) throw misuse('--header is for a Restate server, but the run is here. Add --host restate.');
  return undefined;
}

/** Where a run goes on that is taken up. `begun`: where it was, when that was not here. */
export function elsewhereAgain(begun: Elsewhere | undefined, { host, ...given }: HostFlags): Elsewhere | undefined {
  if (begun && host !== 'in-process') return elsewhere({ ...begun, ...given, host: 'restate' });
  if (host === 'restate') {
    throw misuse(
      'The run was begun in one process, and no server knows of it. It goes on here: leave out --host restate.',
    );
  }
  return elsewhere(given);
}

export async function hostAt(server: Elsewhere | undefined, headers?: SentHeaders): Promise<RunHost | undefined> {
  if (!server) return undefined;
  const { restate } = await loadRestate();
  const { ingress, artifacts } = server;
  return restate({
    ingress,
    ...(headers && { headers }),
    ...(artifacts !== undefined && { artifacts: artifactFolder(artifacts) }),
  });
}
