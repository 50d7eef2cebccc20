import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['espalier-source'] },
  ssr: { resolve: { conditions: ['espalier-source'], externalConditions: ['espalier-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    maxWorkers: '100%', // by default one core is left idle, of two
    reporters: ['default', './test/closing-line.ts'],
  },
});
