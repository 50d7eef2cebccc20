import { describe } from 'vitest';
import { hostContract } from '../contracts/host.contract.ts';
import { restateUnderTest } from './host-under-test.ts';
import { isInstalled } from './program.ts';

describe.skipIf(!isInstalled())('with the Restate server that npm run restate:install installs', () => {
  hostContract('the host Restate, every wait a replay', restateUnderTest({ idle: 0 }));
});
