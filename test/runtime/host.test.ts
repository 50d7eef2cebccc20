import { start } from '../../src/runtime/in-process/start.ts';
import { hostContract } from '../contracts/host.contract.ts';

hostContract('the host in this process', () => ({
  start: async (scenario, options) => start(scenario, options),
  leftovers: async () => [],
}));
