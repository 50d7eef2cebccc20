import { memoryStore } from '../../../src/adapters/stores/memory-store.ts';
import { storeContract } from '../../contracts/store.contract.ts';

storeContract('memory', { place: () => memoryStore, lasts: false });
