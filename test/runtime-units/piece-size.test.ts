/** What is sent to a server fits what it takes. */
import { describe, expect, it } from 'vitest';
import { answers, CHUNK_BYTES, MOST_BYTES, piecesOf } from '../../src/runtime/restate/piece-size.ts';

const text = (bytes: number): string => 'x'.repeat(bytes);

describe('events that travel together', () => {
  it('are one piece while they are small, in their order', () => {
    expect(piecesOf([])).toEqual([]);
    expect(piecesOf([{ a: 1 }, { a: 2 }]).map((piece) => JSON.parse(piece) as unknown)).toEqual([[{ a: 1 }, { a: 2 }]]);
  });

  it('are divided where they would be too big, and none is lost', () => {
    const events = [1, 2, 3].map((a) => ({ a, text: text(CHUNK_BYTES / 2) }));
    const pieces = piecesOf(events).map((piece) => JSON.parse(piece) as typeof events);
    expect(pieces.map((piece) => piece.map(({ a }) => a))).toEqual([[1], [2], [3]]);
  });
});

describe('an answer', () => {
  const sent = (outcome: unknown) => {
    const answer = { outcome, at: 7, events: [], ended: 'well' as const };
    return answers.deserialize(answers.serialize(answer));
  };

  it('travels as it is', () => {
    expect(sent({ a: 1 })).toEqual({ outcome: { a: 1 }, at: 7, events: [], ended: 'well' });
  });

  it('that is too big says so in its place, and how its slot was left', () => {
    const answer = sent({ text: text(MOST_BYTES) });
    expect(answer).toMatchObject({ outcome: null, at: 7, events: [], ended: 'well' });
    expect(answer.tooBig).toMatch(/^its answer has \d+ bytes, and \d+ can travel\. Keep what is big as an artifact$/);
  });
});
