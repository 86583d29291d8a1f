import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/slow/**'],
    globalSetup: ['test/setup.ts'],
    maxConcurrency: 4,
    // Two cores, and most tests start processes of their own.
    maxWorkers: 2,
    // The CDK's own validation of a template takes seconds each time; test/lib/cloud/cfn-lint.test.ts has it on.
    env: { CDK_VALIDATION: 'false' },
    // Only what hangs takes so long: none is to fail because the machine is busy.
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
});
