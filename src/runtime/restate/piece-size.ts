/**
 * What the server takes in one piece: 32 MiB, by its defaults. What is larger it refuses for as long as it is sent, so
 * that nobody would hear of it before a deadline; hence nothing larger is sent.
 *  1. An author's result is small enough to travel twice in one answer: as an event and in its report. So is what an
 *     attempt reports before, and what a run is given, which its nodes are told twice.
 *  2. A node whose answer is too big fails, and says why. What was critical stands in the ledger.
 *  3. A node whose task is too big is not called, and fails.
 */
import type { Serde } from '@restatedev/restate-sdk';
import type { NodeAnswer } from './wire.ts';

const MIB = 1024 * 1024;
export const MOST_RESULT_BYTES = 12 * MIB;
export const MOST_BYTES = 30 * MIB;
/** Of events that travel together. */
export const CHUNK_BYTES = 8 * MIB;

const encoder = new TextEncoder();
const encoded = (value: unknown): Uint8Array<ArrayBuffer> => encoder.encode(JSON.stringify(value));

/** Of a node's answer. It is measured where it is written anyway. */
export const answers: Serde<NodeAnswer> = {
  contentType: 'application/json',
  serialize(answer) {
    const bytes = encoded(answer);
    return bytes.length <= MOST_BYTES ? bytes : encoded(tooBig(answer, bytes.length));
  },
  deserialize: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as NodeAnswer,
};

function tooBig({ outcome: _, events, ...rest }: NodeAnswer, bytes: number): NodeAnswer {
  const why = `its answer has ${bytes} bytes, and ${MOST_BYTES} can travel. Keep what is big as an artifact`;
  const criticals = events.filter(({ event }) => event.type === 'finding.reported' && event.finding.critical);
  return { ...rest, outcome: null, events: canTravel(criticals) ? criticals : [], tooBig: why };
}

/** Events as JSON, in pieces that can travel. */
export function piecesOf(events: readonly object[]): string[] {
  const pieces: string[] = [];
  let piece: string[] = [];
  let length = 0;
  for (const event of events) {
    const json = JSON.stringify(event);
    if (length > 0 && length + json.length > CHUNK_BYTES) {
      pieces.push(`[${piece.join()}]`);
      piece = [];
      length = 0;
    }
    piece.push(json);
    length += json.length;
  }
  if (length > 0) pieces.push(`[${piece.join()}]`);
  return pieces;
}

export const canTravel = (value: unknown): boolean => encoded(value).length <= MOST_BYTES;

/** The bytes of this text, when they are more than can travel. To count those of a small one would cost more than it. */
export function tooManyIn(json: string, most: number): number | undefined {
  if (json.length * MOST_BYTES_A_UNIT <= most) return undefined;
  const bytes = Buffer.byteLength(json);
  return bytes > most ? bytes : undefined;
}
/** Of UTF-8, for a unit of UTF-16. */
const MOST_BYTES_A_UNIT = 3;
