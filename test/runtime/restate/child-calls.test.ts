/** A child whose task is more than the server takes. At a server it takes 20 s to make one, of findings that can travel. */
import type { Context } from '@restatedev/restate-sdk';
import { describe, expect, it } from 'vitest';
import type { Task } from '../../../src/protocol/task.ts';
import { ChildCalls } from '../../../src/runtime/restate/child-calls.ts';
import type { Node } from '../../../src/runtime/restate/node.ts';
import { MOST_BYTES } from '../../../src/runtime/restate/piece-size.ts';

const calls = () => {
  const made: string[] = [];
  const genericCall = ({ parameter }: { parameter: string }) => {
    made.push(parameter);
    return { map: () => Promise.resolve() };
  };
  const node = {
    ctx: { genericCall } as unknown as Context,
    spec: { runId: 'run' },
    worker: { names: { leaf: 'leaf' } },
    made: [],
    kit: { traceparentOf: () => undefined, activities: { estimateOf: () => 1 } },
  } as unknown as Node;
  return { made, children: new ChildCalls(node) };
};
const taskOf = (charter: string) => ({ path: 'root/d/l', charter }) as Task;

describe('a child', () => {
  it('is called with a task that can travel', () => {
    const { made, children } = calls();
    children.call({ name: 'l', role: 'leaf' }, taskOf('x'.repeat(MOST_BYTES - 1_000)));
    expect(made).toHaveLength(1);
  });

  it.each([
    ['plain letters', 'x'.repeat(MOST_BYTES)],
    ['letters of three bytes', '縮'.repeat(Math.ceil(MOST_BYTES / 3))],
  ])('is not called with more, of %s: it has ended before it began, and says why', async (_, charter) => {
    const { made, children } = calls();
    children.call({ name: 'l', role: 'leaf' }, taskOf(charter));
    expect(made).toEqual([]);
    const [arrival] = await Promise.all(children.awaited);
    expect(arrival).toEqual({
      type: 'lost',
      name: 'l',
      attempts: 0,
      message: expect.stringMatching(
        /^its task has \d+ bytes .*, and \d+ can travel. Keep what is big as an artifact$/,
      ),
    });
  });
});
