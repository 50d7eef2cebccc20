/** The only file that spells calls between services: JSON both ways, by name. */
import * as restate from '@restatedev/restate-sdk';
import type { Context, InvocationPromise } from '@restatedev/restate-sdk';

/** `name`: what the call is called in the caller's journal, for people. */
type Address = { service: string; method: string; key?: string; name?: string };

const json = <T>(): restate.Serde<T> => restate.serde.json as restate.Serde<T>;

export const call = <Answer>(ctx: Context, to: Address, parameter: unknown): InvocationPromise<Answer> =>
  ctx.genericCall<unknown, Answer>({ ...to, parameter, inputSerde: json<unknown>(), outputSerde: json<Answer>() });

/** With a parameter that is JSON already. */
export const callJson = <Answer>(ctx: Context, to: Address, parameter: string): InvocationPromise<Answer> =>
  ctx.genericCall<string, Answer>({ ...to, parameter, inputSerde: WRITTEN, outputSerde: json<Answer>() });

/** Is delivered once, in the order in which this invocation sends to the same object. */
export const send = (ctx: Context, to: Address & { delay?: number }, parameter: unknown): restate.InvocationHandle =>
  ctx.genericSend({ ...to, parameter, inputSerde: json<unknown>() });

/** What is JSON already. */
export const sendJson = (ctx: Context, to: Address, parameter: string): restate.InvocationHandle =>
  ctx.genericSend({ ...to, parameter, inputSerde: WRITTEN });
const WRITTEN: restate.Serde<string> = {
  contentType: 'application/json',
  serialize: (text) => new TextEncoder().encode(text),
  deserialize: (bytes) => new TextDecoder().decode(bytes),
};
