/** A certificate of this machine's loopback address, signed by its own key, as X.509 has it (RFC 5280). */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

type Der = Buffer;
const [INTEGER, BITS, OCTETS, OID, UTF8, TIME, SEQUENCE, SET] = [2, 3, 4, 6, 12, 24, 48, 49] as const;

/** Tag, length, content. */
function der(tag: number, ...content: readonly Uint8Array[]): Der {
  const body = Buffer.concat(content);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [129, body.length]
        : [130, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
const bytes = (...values: readonly number[]): Der => Buffer.from(values);
const bits = (content: Uint8Array): Der => der(BITS, bytes(0), content);
const time = (at: Date): Der => der(TIME, Buffer.from(at.toISOString().replaceAll(/[-:T]|\.\d+/g, '')));

const ED25519 = der(SEQUENCE, der(OID, bytes(43, 101, 112)));
const COMMON_NAME = der(OID, bytes(85, 4, 3));
const SUBJECT_ALT_NAME = der(OID, bytes(85, 29, 17));
const LOOPBACK = bytes(127, 0, 0, 1);
const HOUR_MS = 3_600_000;

/** Both as PEM. Valid for an hour. */
export function selfSigned(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8, Buffer.from('espalier test')))));
  const [from, to] = [-HOUR_MS, HOUR_MS].map((ms) => time(new Date(Date.now() + ms))) as [Der, Der];
  const names = der(OCTETS, der(SEQUENCE, der(0x87, LOOPBACK)));
  const signed = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, bytes(2))), // version 3
    der(INTEGER, bytes(1), randomBytes(8)),
    ED25519,
    name,
    der(SEQUENCE, from, to),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, der(SEQUENCE, SUBJECT_ALT_NAME, names))),
  );
  const certificate = der(SEQUENCE, signed, ED25519, bits(sign(null, signed, privateKey)));
  const lines = certificate.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
