import { describe, expect, it } from 'vitest';
import { diagnosisOf } from '../../src/tier/diagnosis.ts';
import { errorOf, faultOf } from '../../src/tier/fault.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const error = (fields: object): Error => Object.assign(new Error('it broke'), fields);

describe('diagnosisOf reads off an error why it was thrown', () => {
  it.each<[string, object, object]>([
    ['its own word', { diagnosis: 'off-track', status: 429 }, { diagnosis: 'off-track' }],
    ['no word of ours', { diagnosis: 'bad luck' }, {}],
    ['429', { status: 429 }, { diagnosis: 'rate-limited' }],
    ['529', { status: 529, retryAfterMs: 20 }, { diagnosis: 'rate-limited', retryAfterMs: 20 }],
    ['an overloaded stream', { type: 'overloaded_error' }, { diagnosis: 'rate-limited' }],
    ['seconds', { status: 429, headers: { 'retry-after': '2.5' } }, { diagnosis: 'rate-limited', retryAfterMs: 2_500 }],
    [
      'a date',
      { status: 429, headers: new Headers({ 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }) },
      { diagnosis: 'rate-limited', retryAfterMs: 30_000 },
    ],
    [
      'ms before seconds',
      { status: 429, headers: { 'retry-after-ms': '7', 'retry-after': '9' } },
      { diagnosis: 'rate-limited', retryAfterMs: 7 },
    ],
    ['nonsense', { status: 429, headers: { 'retry-after': 'soon' } }, { diagnosis: 'rate-limited' }],
    ['503', { status: 503 }, { diagnosis: 'transient' }],
    ['404', { status: 404 }, {}],
    ['the network', { code: 'ECONNRESET' }, { diagnosis: 'transient' }],
    ['a cause', { cause: error({ code: 'ETIMEDOUT' }) }, { diagnosis: 'transient' }],
    ['nothing', {}, {}],
  ])('%s', (_, fields, diagnosis) => {
    expect(diagnosisOf(error(fields), () => NOW)).toEqual(diagnosis);
  });
  it('causes that go round in a circle end', () => {
    const one = error({});
    one.cause = error({ cause: one });
    expect(diagnosisOf(one)).toEqual({});
  });
  it('survives being thrown and read back', () => {
    const fault = { status: 'error', message: 'slow down', diagnosis: 'rate-limited', retryAfterMs: 30 } as const;
    expect(faultOf(errorOf(fault))).toEqual(fault);
  });
});
