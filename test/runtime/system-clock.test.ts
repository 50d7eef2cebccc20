import { expect, it, vi } from 'vitest';
import { systemClock } from '../../src/runtime/system-clock.ts';

it('a wait that is longer than a timer can wait does not end at once', () => {
  vi.useFakeTimers();
  try {
    const ended = vi.fn();
    const timer = systemClock.setTimeout(ended, 40 * 24 * 3_600_000); // a vendor may ask for that
    vi.advanceTimersByTime(24 * 24 * 3_600_000);
    expect(ended).not.toHaveBeenCalled();
    systemClock.clearTimeout(timer);
  } finally {
    vi.useRealTimers();
  }
});
