/**
 * The latest durations of one path, as one column: pairs of doubles, little-endian, the one that was written last first.
 * So a measurement is put before the others without any of them being read.
 */
import type { Duration } from '../../ports/store.ts';
import { REMEMBERED } from './store-rules.ts';

const PAIR_BYTES = 16;
export const MOST_BYTES = REMEMBERED * PAIR_BYTES;

type Measurement = Pick<Duration, 'at' | 'ms'>;

export function packed(measurements: readonly Measurement[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(measurements.length * PAIR_BYTES));
  measurements.forEach(({ at, ms }, i) => {
    view.setFloat64(i * PAIR_BYTES, at, true);
    view.setFloat64(i * PAIR_BYTES + 8, ms, true);
  });
  return new Uint8Array(view.buffer);
}

/** The latest first; what is left of a pair is not one. */
export function unpacked({ buffer, byteOffset, byteLength }: Uint8Array): Measurement[] {
  const view = new DataView(buffer, byteOffset, byteLength);
  const all: Measurement[] = [];
  for (let at = 0; at + PAIR_BYTES <= byteLength; at += PAIR_BYTES) {
    all.push({ at: view.getFloat64(at, true), ms: view.getFloat64(at + 8, true) });
  }
  return all.sort((a, b) => b.at - a.at);
}
