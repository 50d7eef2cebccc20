/** Whether a receipt says what there is, and who signed it. */
import type { KeyObject } from 'node:crypto';
import { Receipt } from '../../protocol/receipt.ts';
import type { Problems } from './problems.ts';
import { fingerprintOf, isSigned, signerOf } from './signature.ts';

/** Returns the fingerprint of the key that signed it. With a `key`, no other's signature will do. */
export function checkSignature(receipt: unknown, key: KeyObject | undefined, problems: Problems): string | undefined {
  const read = Receipt.safeParse(receipt);
  if (!read.success) {
    problems.add('', 'its receipt cannot be read');
    return undefined;
  }
  const given = receipt as Receipt;
  if (!given.signature) {
    if (key) problems.add('', `its receipt is not signed, and was to be by ${fingerprintOf(key)}`);
    return undefined;
  }
  const signer = signerOf(given);
  if (signer === undefined) problems.add('', 'the signature of its receipt is not valid');
  else if (key && !isSigned(given, key))
    problems.add('', `its receipt is signed by ${signer}, not by ${fingerprintOf(key)}`);
  else return signer;
  return undefined;
}

/** `own`: the receipt that what there is would have. Fields that it lacks are not known. */
export function checkReceipt(receipt: Receipt, own: Partial<Receipt>, problems: Problems): void {
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
