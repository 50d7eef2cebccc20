/** The distributed host, whose packages are optional: loaded when it is asked for. */
import { EspalierError } from '../errors.ts';
import type { RunHost } from '../runtime/run.ts';
import { misuse } from './misuse.ts';

export type HostFlags = {
  host?: 'in-process' | 'restate';
  /** The URL of the Restate server's ingress. */
  ingress?: string;
};
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

/** Where a run is to be performed, when it is not here: the ingress of its server. */
export function ingressOf({ host, ingress }: HostFlags): string | undefined {
  if (host === 'restate') return ingress ?? INGRESS;
  if (ingress !== undefined) throw misuse('--ingress names a Restate server, but the run is here. Add --host restate.');
  return undefined;
}

export async function hostAt(ingress: string | undefined): Promise<RunHost | undefined> {
  return ingress === undefined ? undefined : (await loadRestate()).restate({ ingress });
}
