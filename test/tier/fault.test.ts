import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { FailureStatus } from '../../src/protocol/failure-status.ts';
import { UnsealedToken } from '../../src/protocol/report.ts';
import { readAnswer } from '../../src/tier/answer.ts';
import { errorOf, faultOf, faultOfEnd, tokenOf } from '../../src/tier/fault.ts';
import { taskOf } from './samples.ts';

describe('faultOf names whatever was thrown, and never throws', () => {
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('boo');
      },
    },
  );
  const unprintable = {
    toString: () => {
      throw new Error('boo');
    },
  };
  test.each<[string, unknown, string]>([
    ['an error', new Error('broke'), 'broke'],
    ['an error without a message', new Error(''), ''],
    ['a text', 'broke', 'broke'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an object with a message', { message: 'broke' }, 'broke'],
    ['an object whose message is none', { message: 7 }, '[object Object]'],
    ['a proxy that throws', hostile, 'an error that cannot be printed'],
    ['an object that cannot be printed', unprintable, 'an error that cannot be printed'],
    ['an object without a prototype', Object.create(null), 'an error that cannot be printed'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
  ])('%s', (_, thrown, message) => {
    expect(faultOf(thrown)).toEqual({ status: 'error', message });
  });
  test.each(FailureStatus.options)('an error with the code %s', (status) => {
    expect(faultOf(errorOf({ status, message: 'because' }))).toEqual({ status, message: 'because' });
  });
  it('other codes are none of its statuses', () => {
    expect(faultOf(Object.assign(new Error('x'), { code: 'ENOENT' })).status).toBe('error');
    expect(faultOf(Object.assign(new Error('x'), { code: { toString: () => 'timeout' } })).status).toBe('error');
  });
  it('a message is cut at 2,000 characters, and never within one', () => {
    expect(faultOf(new Error('x'.repeat(1e6))).message).toHaveLength(2_000);
    const { message } = faultOf(new Error(`${'x'.repeat(1_999)}😀`));
    expect([message.length, message.isWellFormed()]).toEqual([2_000, true]);
  });
});

test.each([
  [undefined, 'silent'],
  [null, 'silent'],
  [0, 'invalid'],
  ['', 'invalid'],
])('an end with %j is %s', (output, status) => {
  expect(faultOfEnd(output).status).toBe(status);
});

test.each(FailureStatus.options)('a token with status %s is valid, and says whether to try again', (status) => {
  const token = tokenOf(taskOf('root/a'), { status, message: 'because' }, 2);
  expect(UnsealedToken.parse(token)).toEqual(token);
  expect(token.retryable).toBe(!['refused', 'budget', 'cancelled'].includes(status));
  expect(token).toMatchObject({ runId: 'run', path: 'root/a', tier: 'domain', attempts: 2, message: 'because' });
});

describe('readAnswer', () => {
  const Schema = z.object({ list: z.array(z.object({ n: z.number() })) });
  it('gives a copy of what it understands', () => {
    const given = { list: [{ n: 1 }], more: true };
    const read = readAnswer(Schema, given);
    expect(read).toEqual({ value: { list: [{ n: 1 }] } });
    expect('value' in read && read.value.list).not.toBe(given.list);
  });
  it('or says where and why not', () => {
    expect(readAnswer(Schema, { list: [{ n: 1 }, { n: 'x' }] })).toEqual({
      why: 'list.1.n is "x"; it must be a finite number',
    });
    expect(readAnswer(Schema, 7)).toEqual({ why: 'it is 7; it must be an object' });
  });
  it('and survives what cannot even be looked at', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(readAnswer(z.json(), deep)).toMatchObject({ why: expect.stringContaining('cannot be read') });
  });
});
