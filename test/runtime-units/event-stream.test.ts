import { describe, expect, it, test } from 'vitest';
import type { RunEvent, RunEventBody } from '../../src/protocol/run-event.ts';
import { createEventStream, type EventStream } from '../../src/runtime/event-stream.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const attempt = (n: number): RunEventBody => ({ type: 'attempt.started', path: 'root/a', attempt: n });
const numberOf = (event: RunEvent): number => (event.type === 'attempt.started' ? event.attempt : -1);
function streamOf(
  onEvent?: (event: RunEvent) => void,
): EventStream & { clock: VirtualClock; say(...ns: number[]): void } {
  const clock = new VirtualClock(1_000);
  const stream = createEventStream('run', clock, onEvent);
  return Object.assign(stream, { clock, say: (...ns: number[]) => ns.forEach((n) => stream.emit(attempt(n))) });
}
async function all(events: AsyncIterable<RunEvent>): Promise<number[]> {
  const seen: number[] = [];
  for await (const event of events) seen.push(numberOf(event));
  return seen;
}
const iterate = ({ events }: EventStream) => events[Symbol.asyncIterator]() as Required<AsyncIterator<RunEvent>>;
const DONE = { done: true, value: undefined };

describe('event-stream: stamps', () => {
  it('version, run, number and time', async () => {
    const stream = streamOf();
    const iterator = iterate(stream);
    stream.say(1);
    await stream.clock.advance(250);
    stream.say(2);
    const stamp = { v: 1, runId: 'run', type: 'attempt.started', path: 'root/a' };
    expect((await iterator.next()).value).toEqual({ ...stamp, seq: 0, at: 1_000, attempt: 1 });
    expect((await iterator.next()).value).toEqual({ ...stamp, seq: 1, at: 1_250, attempt: 2 });
  });
});

describe('event-stream 1: everybody gets the events in order', () => {
  it('each consumer from the moment it starts, at its own pace', async () => {
    const stream = streamOf();
    stream.say(0); // nobody listens yet, but it has its number
    const early = all(stream.events);
    const slow = iterate(stream);
    stream.say(1, 2);
    const late = iterate(stream);
    stream.say(3);
    stream.close();
    expect(await early).toEqual([1, 2, 3]);
    expect(await late.next()).toMatchObject({ value: { seq: 3 } });
    expect(await late.next()).toEqual(DONE);
    const seen = [await slow.next(), await slow.next(), await slow.next(), await slow.next()];
    expect(seen.map(({ value }) => (value as RunEvent | undefined)?.seq)).toEqual([1, 2, 3, undefined]);
  });
  it('the listener that is there when they come', () => {
    const heard: string[] = [];
    const stream = streamOf((event) => {
      heard.push(`first ${event.seq}`);
      stream.listen((next) => heard.push(`second ${next.seq}`));
    });
    stream.say(1, 2);
    stream.listen(undefined);
    stream.say(3); // it has its number all the same
    stream.listen((next) => heard.push(`third ${next.seq}`));
    stream.say(4);
    expect(heard).toEqual(['first 0', 'second 1', 'third 3']);
  });
  it('also those that a listener causes', async () => {
    const heard: number[] = [];
    const stream = streamOf((event) => {
      heard.push(event.seq);
      if (event.seq === 0) stream.say(2); // cancelling a run, say
    });
    const consumer = all(stream.events);
    stream.say(1);
    stream.say(3);
    stream.close();
    expect(heard).toEqual([0, 1, 2]);
    expect(await consumer).toEqual([1, 2, 3]);
  });
  it('also to one who asks several times before anything happens', async () => {
    const stream = streamOf();
    const iterator = iterate(stream);
    const asked = [iterator.next(), iterator.next(), iterator.next()];
    stream.say(1, 2);
    stream.close();
    expect((await Promise.all(asked)).map(({ value }) => value && numberOf(value as RunEvent))).toEqual([
      1,
      2,
      undefined,
    ]);
  });
  it('whether they come before or after they are asked for', async () => {
    const stream = streamOf();
    const iterator = iterate(stream);
    const seen: unknown[] = [];
    for (let round = 0; round < 50; round++) {
      const pending = round % 3 === 0 ? iterator.next() : undefined;
      stream.say(round);
      seen.push(((await (pending ?? iterator.next())).value as RunEvent).seq);
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});

describe("event-stream 2: a listener's fault is not the run's", () => {
  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('theirs');
      },
    ],
    ['rejects', () => Promise.reject(new Error('theirs'))],
  ])('one that %s', async (_, fault) => {
    const heard: number[] = [];
    const stream = streamOf((event) => {
      heard.push(event.seq);
      return fault() as void;
    });
    const consumer = all(stream.events);
    stream.say(1, 2);
    stream.close();
    expect(await consumer).toEqual([1, 2]);
    expect(heard).toEqual([0, 1]);
  });
});

describe('event-stream 3: after its end no next stays pending', () => {
  it('close: what is buffered can still be taken, then it is over', async () => {
    const stream = streamOf();
    const iterator = iterate(stream);
    stream.say(1);
    stream.close();
    stream.say(2);
    expect(await iterator.next()).toMatchObject({ done: false, value: { seq: 0 } });
    expect([await iterator.next(), await iterator.next()]).toEqual([DONE, DONE]);
  });
  it('close ends those who wait', async () => {
    const stream = streamOf();
    const waiting = [iterate(stream).next(), iterate(stream).next()];
    stream.close();
    stream.close();
    expect(await Promise.all(waiting)).toEqual([DONE, DONE]);
  });
  it('who starts after the close sees nothing', async () => {
    const heard: RunEvent[] = [];
    const stream = streamOf((event) => heard.push(event));
    stream.close();
    stream.say(1);
    expect(await all(stream.events)).toEqual([]);
    expect(heard).toEqual([]);
  });
  it('return: also a next that was asked before, and nothing buffered after', async () => {
    const stream = streamOf();
    const iterator = iterate(stream);
    const pending = iterator.next();
    expect(await iterator.return()).toEqual(DONE);
    expect(await pending).toEqual(DONE);
    stream.say(1);
    expect(await iterator.next()).toEqual(DONE);
  });
  it('leaving a loop early harms no other consumer', async () => {
    const stream = streamOf();
    const other = all(stream.events);
    const leaving = (async () => {
      for await (const event of stream.events) return numberOf(event);
      return undefined;
    })();
    stream.say(1, 2, 3);
    expect(await leaving).toBe(1);
    stream.say(4);
    stream.close();
    expect(await other).toEqual([1, 2, 3, 4]);
  });
});
