import { defineConfig } from 'vitest/config';

/** Tests of minutes, run by .ci/run after the others. */
export default defineConfig({
  test: {
    include: ['test/**/slow/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    maxWorkers: 2,
    // test/thorough.ts
    env: { TROWEL_THOROUGH: '1' },
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 300_000 } },
    passWithNoTests: true,
  },
});
