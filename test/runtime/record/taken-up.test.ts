import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import { orchestrator } from '../../../src/runtime/in-process/embed.ts';
import { start } from '../../../src/runtime/in-process/start.ts';
import { fingerprintOf, signerOf } from '../../../src/runtime/record/signature.ts';
import { resumed } from '../../support/interrupted.ts';
import { tree, world } from '../../support/world.ts';

describe('a run that ended with a signed receipt', () => {
  const { privateKey: signingKey, publicKey } = generateKeyPairSync('ed25519');
  const ended = async () => {
    const store = memoryStore();
    await world([2], {}, { store, signingKey }).run();
    return store;
  };

  it('is not taken up without a key, and keeps its signature', async () => {
    const store = await ended();
    const before = store.run('run');
    const signer = fingerprintOf(publicKey);
    await expect(resumed({ store }, tree([2]))).rejects.toMatchObject({
      code: 'invalid-input',
      message: `Run run has ended, and its receipt is signed by ${signer}: to go on with it would leave it unsigned. Give the key that signs it, as signingKey or with --sign.`,
    });
    expect(store.run('run')).toEqual(before);
  });

  it('is taken up with one, and signed anew', async () => {
    const store = await ended();
    const before = store.run('run')?.events ?? 0;
    await resumed({ store }, tree([2]), undefined, { signingKey });
    const run = store.run('run');
    expect(run?.events).toBeGreaterThan(before);
    expect(run?.receipt && signerOf(run.receipt)).toBe(fingerprintOf(publicKey));
  });
});

it('an actor that is never started has no run in the store; a started one has', () => {
  const store = memoryStore();
  const input = { runId: 'embedded' };
  const actor = createActor(orchestrator(tree([2]), { store }), { input });
  expect(store.run('embedded')).toBeUndefined();
  actor.stop();
  const started = createActor(orchestrator(tree([2]), { store }), { input }).start();
  expect(store.run('embedded')).toMatchObject({ claim: { isLive: true } });
  started.stop();
  expect(store.run('embedded')?.claim).toBeUndefined();
});

it('a run that cannot be gone on with is free again, whatever it fails at', () => {
  const store = memoryStore();
  const scenario = tree([2], { scenario: { limits: { budget: { leaves: 9 } } } });
  start(scenario, { store, runId: 'run' }).stop();
  const fail = (): never => {
    throw new Error('it fails');
  };
  expect(() => start(scenario, { store, resume: 'run', activities: fail })).toThrow('it fails');
  expect(store.run('run')?.claim).toBeUndefined();
  let failed = 0;
  for (let isBegun = false; !isBegun;) {
    let reads = 0;
    const nodes: typeof store.nodes = (...given) => (reads++ === failed ? fail() : store.nodes(...given));
    try {
      start(scenario, { store: { ...store, nodes }, resume: 'run' }).stop();
      isBegun = true;
    } catch {
      failed++;
    }
    expect(store.run('run')?.claim).toBeUndefined();
  }
  expect(failed).toBeGreaterThan(2);
});
