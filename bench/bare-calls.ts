/**
 * What the server itself takes for as many calls: a service that calls another, awaits the answers in the order of its
 * calls, and does nothing else. Task and answer have the size of a small leaf's.
 */
import * as restate from '@restatedev/restate-sdk';

const SERVICE = 'bench-bare';
const [TASK, ANSWER] = ['x'.repeat(700), 'x'.repeat(950)];
const text = restate.serde.json as restate.Serde<string>;

export const bareService = restate.service({
  name: SERVICE,
  handlers: {
    all: async (ctx: restate.Context, calls: number): Promise<number> => {
      const one = { service: SERVICE, method: 'one', parameter: TASK, inputSerde: text, outputSerde: text };
      const answers = Array.from({ length: calls }, () => ctx.genericCall<string, string>(one));
      for (const answer of answers) await answer;
      return answers.length;
    },
    one: restate.handlers.handler(
      { journalRetention: 0, inactivityTimeout: 60_000 },
      (_: restate.Context, __: string): Promise<string> => Promise.resolve(ANSWER),
    ),
  },
});

/** @throws Error when the server does not say that all were made */
export async function callBare(ingress: string, calls: number): Promise<void> {
  const answer = await fetch(`${ingress}/${SERVICE}/all`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(calls),
  });
  const made = await answer.text();
  if (made !== String(calls)) throw new Error(`of ${calls} bare calls the server says: ${made}`);
}
