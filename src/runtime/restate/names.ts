/** What the services of a scenario are called at the server. Two scenarios never share one: each has workers of its own. */
import { sha256 } from '../../protocol/digest.ts';

export type ServiceNames = {
  /** What callers call: starts a run, and hands its events on. */
  readonly runs: string;
  readonly orchestrator: string;
  readonly leaf: string;
  /** Objects, one of each for a run. */
  readonly ledger: string;
  readonly slots: string;
  readonly budget: string;
};

const namesByScenario = new Map<string, ServiceNames>();

export function serviceNames(scenario: string): ServiceNames {
  let names = namesByScenario.get(scenario);
  if (!names) {
    const runs = `espalier.${plain(scenario)}`;
    names = {
      runs,
      orchestrator: `${runs}.orchestrator`,
      leaf: `${runs}.leaf`,
      ledger: `${runs}.ledger`,
      slots: `${runs}.slots`,
      budget: `${runs}.budget`,
    };
    namesByScenario.set(scenario, names);
  }
  return names;
}

/** The server takes fewer letters than a scenario's name may have. */
function plain(name: string): string {
  const spelled = name.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return spelled === name ? name : `${spelled}-${sha256(name).slice(0, 8)}`;
}
