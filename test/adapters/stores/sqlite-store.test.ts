import { sqliteStore } from '../../../src/adapters/stores/sqlite-store.ts';
import { storeContract } from '../../contracts/store.contract.ts';
import { storeFile } from './store-file.ts';

const place = () => {
  const file = storeFile();
  return (options = {}) => sqliteStore(file, options);
};
storeContract('sqlite', { place, lasts: true });
