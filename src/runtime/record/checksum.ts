import { sha256 } from '../../protocol/digest.ts';

/** The checksum of a stored event: over its body and the checksum before it; before the first, the empty string. */
export const checksumOf = (before: string, body: string): string => sha256(before + body);
