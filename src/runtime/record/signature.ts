/** Signing and checking a receipt with Ed25519. */
import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import { canonicalJson } from '../../protocol/digest.ts';
import type { Receipt } from '../../protocol/receipt.ts';

const signedText = ({ signature: _, ...receipt }: Receipt): Buffer => Buffer.from(canonicalJson(receipt));

/** The receipt with a signature by this private key. @throws when the key is not an Ed25519 private key */
export function signed(receipt: Receipt, key: KeyObject): Receipt {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  const value = sign(null, signedText(receipt), key).toString('base64');
  return { ...receipt, signature: { algorithm: 'ed25519', publicKey, value } };
}

/** Whether the receipt was signed by the holder of this public key; by default, of the one it names itself. */
export function isSigned(receipt: Receipt, key?: KeyObject): boolean {
  const { signature } = receipt;
  if (!signature) return false;
  try {
    const by = key ?? createPublicKey(signature.publicKey);
    return verify(null, signedText(receipt), by, Buffer.from(signature.value, 'base64'));
  } catch {
    return false;
  }
}

/** What a public key is known by: the SHA-256 of its DER encoding, in hexadecimal. */
export const fingerprintOf = (key: KeyObject): string =>
  hash('sha256', key.export({ type: 'spki', format: 'der' }), 'hex');

/** Who signed the receipt; undefined when nobody did, or not with the key it names. */
export function signerOf(receipt: Receipt): string | undefined {
  return receipt.signature && isSigned(receipt)
    ? fingerprintOf(createPublicKey(receipt.signature.publicKey))
    : undefined;
}
