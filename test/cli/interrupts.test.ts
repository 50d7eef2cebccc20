import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { onInterrupt } from '../../src/cli/interrupts.ts';

describe('interrupts', () => {
  let presses: string[] = [];
  const listen = () =>
    onInterrupt(
      () => presses.push('first'),
      () => presses.push('second'),
    );
  beforeEach(() => {
    presses = [];
    vi.stubEnv('npm_lifecycle_event', undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.useRealTimers();
  });

  it('tells the first press from those after it', () => {
    const interrupts = listen();
    expect(interrupts.wasInterrupted).toBe(false);
    process.emit('SIGINT');
    expect(interrupts.wasInterrupted).toBe(true);
    process.emit('SIGTERM');
    interrupts.release();
    expect(presses).toEqual(['first', 'second']);
  });

  it('takes what npm passes on for the press itself', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    vi.stubEnv('npm_lifecycle_event', 'start');
    const interrupts = listen();
    process.emit('SIGINT');
    process.emit('SIGINT');
    vi.advanceTimersByTime(300);
    process.emit('SIGINT');
    interrupts.release();
    expect(presses).toEqual(['first', 'second']);
  });

  it('leaves no listener behind', () => {
    const before = process.listenerCount('SIGINT');
    listen().release();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
