/**
 * How full the memory is, and what of a run's cap that leaves. Above 0.85 half of it, above 0.95 one; below 0.7 it
 * grows back by one at every look.
 */
import { getHeapStatistics } from 'node:v8';

let allowed: number | undefined; // asked once: it reads files

/** 0 … 1: of what this process may use, the fuller of heap and whole. */
export function memoryPressure(): number {
  const { used_heap_size: heap, heap_size_limit: most } = getHeapStatistics();
  allowed ??= process.constrainedMemory(); // 0 or absurdly big where nothing constrains it
  const whole = allowed > 0 && allowed < Number.MAX_SAFE_INTEGER ? process.memoryUsage.rss() / allowed : 0;
  return Math.max(heap / most, whole);
}

const LOOK_MS = 250;
const [TIGHT, TOO_TIGHT, EASY] = [0.85, 0.95, 0.7];

export class MemoryWatch {
  readonly #pressure: () => number;
  readonly #most: number;
  /** What the total may be. */
  bound: number;
  /** When to look again. */
  nextLook = -Infinity;

  constructor(pressure: () => number, most: number) {
    this.#pressure = pressure;
    this.#most = most;
    this.bound = most;
  }

  get isYielding(): boolean {
    return this.bound < this.#most;
  }

  /** Tells whether the bound is another now. */
  look(now: number): boolean {
    if (now < this.nextLook) return false;
    this.nextLook = now + LOOK_MS;
    const before = this.bound;
    const pressure = this.#pressure();
    if (pressure > TOO_TIGHT) this.bound = 1;
    else if (pressure > TIGHT) this.bound = Math.min(before, Math.max(1, Math.floor(this.#most / 2)));
    else if (pressure < EASY && before < this.#most) this.bound++;
    return this.bound !== before;
  }
}
