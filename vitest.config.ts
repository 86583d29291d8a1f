import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/slow/**'],
    globalSetup: ['test/setup.ts'],
    maxConcurrency: 4,
    // Two cores, and most tests start processes of their own.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
