/** Whether a receipt says what there is, and who signed it. */
import type { KeyObject } from 'node:crypto';
import { Receipt } from '../../protocol/receipt.ts';
import type { Problems } from './problems.ts';
import { fingerprintOf, isSigned, signerOf } from './signature.ts';

export type ReceiptCheck = {
  /** The receipt that what there is would have. What it lacks is not known. */
  own: Partial<Receipt>;
  /** No other's signature will do. */
  key: KeyObject | undefined;
  problems: Problems;
};

/** Returns the fingerprint of the key that signed it, if that is the right one. */
export function checkReceipt(receipt: unknown, { own, key, problems }: ReceiptCheck): string | undefined {
  if (!Receipt.safeParse(receipt).success) {
    problems.add('', 'its receipt cannot be read');
    return undefined;
  }
  const given = receipt as Receipt; // with what the schema would leave out: that was not signed
  compare(given, own, problems);
  const signer = signerOf(given);
  const wrong = wrongSignature(given, signer, key);
  if (wrong === undefined) return signer;
  problems.add('', wrong);
  return undefined;
}

function wrongSignature(receipt: Receipt, signer: string | undefined, key: KeyObject | undefined): string | undefined {
  if (!receipt.signature) return key && `its receipt is not signed, and was to be by ${fingerprintOf(key)}`;
  if (signer === undefined) return 'the signature of its receipt is not valid';
  if (key && !isSigned(receipt, key)) return `its receipt is signed by ${signer}, not by ${fingerprintOf(key)}`;
  return undefined;
}

function compare(receipt: Receipt, own: Partial<Receipt>, problems: Problems): void {
  const wrong = (what: string): unknown => problems.add('', what);
  const differs = (field: Exclude<keyof Receipt, 'criticals' | 'signature'>): boolean =>
    own[field] !== undefined && receipt[field] !== own[field];
  if (differs('runId')) wrong(`its receipt is of run ${receipt.runId}`);
  if (differs('brief')) wrong('its brief is not what its receipt was given for: it says something else');
  else if (differs('sha256')) wrong('its brief is not what its receipt was given for: its run or its times differ');
  if (differs('events')) wrong(`its receipt was given for ${receipt.events} events, and there are ${own.events}`);
  else if (differs('head')) wrong('its events are not those that its receipt was given for');
  const criticals = own.criticals ?? receipt.criticals;
  for (const [id, sha256] of Object.entries(receipt.criticals)) {
    if (criticals[id] === undefined) wrong(`the critical finding ${id} of its receipt is missing`);
    else if (criticals[id] !== sha256) wrong(`the critical finding ${id} is not that of its receipt`);
  }
  for (const id of Object.keys(criticals)) {
    if (receipt.criticals[id] === undefined) wrong(`the critical finding ${id} is missing from its receipt`);
  }
}
