/** Ed25519 keys as the command line is given them: PEM files. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { misuse, reasonOf } from './misuse.ts';

function readKey(file: string, kind: 'private' | 'public', parse: (pem: string) => KeyObject): KeyObject {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    throw misuse(`The key ${file} cannot be read: ${reasonOf(error)}. Name a PEM file.`, error);
  }
  let key: KeyObject | undefined;
  try {
    key = parse(pem);
  } catch (error) {
    const make = kind === 'public' ? ` Make one of the private key: openssl pkey -in key.pem -pubout -out pub.pem` : '';
    throw misuse(`The file ${file} holds no ${kind} key in PEM that can be read without a password.${make}`, error);
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw misuse(
    `The key ${file} is ${key.asymmetricKeyType}, not Ed25519. Make one with "openssl genpkey -algorithm ed25519".`,
  );
}

/** @throws EspalierError `invalid-input` when the file holds no Ed25519 private key */
export const readSigningKey = (file: string): KeyObject => readKey(file, 'private', createPrivateKey);

/** @throws EspalierError `invalid-input` when the file holds no Ed25519 public key */
export const readPublicKey = (file: string): KeyObject =>
  readKey(file, 'public', (pem) => {
    // Of a private key Node would make the public one: nobody should have to carry it around to verify.
    if (pem.includes('PRIVATE KEY')) throw new Error('a private key');
    return createPublicKey(pem);
  });
