/** What is kept of what is critical, when there is more of it than can travel. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/protocol/finding.ts';
import { ledgerObject, type Standing } from '../../../src/runtime/restate/ledger.ts';
import { serviceNames } from '../../../src/runtime/restate/names.ts';
import { answers, MOST_BYTES } from '../../../src/runtime/restate/piece-size.ts';
import type { Noted } from '../../../src/runtime/restate/wire.ts';

const MIB = 1024 * 1024;
const finding = (key: string, mib: number, isCritical: boolean): Finding => ({
  id: `root/d/l#${key}`,
  path: 'root/d/l',
  statement: `Said ${key}`,
  stance: 0.5,
  confidence: 0.8,
  flags: [],
  source: { kind: 'none', ref: 'unsourced' },
  ...(isCritical && { critical: { rule: 'alarm', reason: 'it rings' } }),
  data: 'x'.repeat(mib * MIB),
});
const noted = (of: Finding): Noted => ({ at: 1, event: { type: 'finding.reported', path: of.path, finding: of } });

describe('an answer that is too big', () => {
  it('still tells of what is critical', () => {
    const events = [noted(finding('loud', 1, true)), noted(finding('low', 1, false))];
    const bytes = answers.serialize({ outcome: 'x'.repeat(MOST_BYTES), at: 1, events });
    expect(answers.deserialize(bytes)).toEqual({
      outcome: null,
      at: 1,
      events: [events[0]],
      tooBig: expect.stringMatching(/^its answer has \d+ bytes, and \d+ can travel/),
    });
  });
});

type Handlers = {
  append(to: object, noted: readonly Noted[]): Promise<void>;
  standing(to: object): Promise<Standing>;
};
describe('a ledger', () => {
  /** One that keeps its state here. */
  const opened = () => {
    const state = new Map<string, unknown>();
    const ctx = {
      key: 'run',
      get: (name: string) => Promise.resolve(state.get(name) ?? null),
      set: (name: string, value: unknown) => void state.set(name, value),
      resolveAwakeable: () => {},
    };
    const { object: handlers } = ledgerObject(serviceNames('k'), {}) as unknown as { object: Handlers };
    return { state, append: (all: Noted[]) => handlers.append(ctx, all), standing: () => handlers.standing(ctx) };
  };

  it('escalates what is critical, however big; of what is too much the brief is told where it is', async () => {
    const { state, append, standing } = opened();
    const all = ['a', 'b', 'c'].map((key) => finding(key, 7, true));
    for (const one of all) await append([noted(one)]);
    const chunks = ['chunk 0', 'chunk 1', 'chunk 2'].flatMap((chunk) => state.get(chunk) as Noted[]);
    expect(chunks.flatMap(({ event }) => (event.type === 'finding.escalated' ? event.finding.id : []))).toEqual(
      all.map(({ id }) => id),
    );
    const { criticals, late } = await standing();
    expect(criticals).toEqual(all.slice(0, 2));
    expect(late).toMatchObject([
      { path: 'root/d/l', why: expect.stringContaining('too big'), finding: { id: all[2]?.id } },
    ]);
    expect(JSON.stringify(late).length).toBeLessThan(1_000);
  });
});
