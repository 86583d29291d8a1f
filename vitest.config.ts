import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The runner's own tests are the longest file and mostly wait for processes: begun last, they would run alone at the end. */
class RunnerFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isRunner = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('test/task-images/python.test.ts');
    return [...sorted.filter(isRunner), ...sorted.filter((file) => !isRunner(file))];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/slow/**'],
    globalSetup: ['test/setup.ts'],
    maxConcurrency: 4,
    // Two cores, and most tests start processes of their own.
    maxWorkers: 2,
    sequence: { sequencer: RunnerFirst },
    // The CDK's own validation of a template takes seconds each time; test/lib/cloud/cfn-lint.test.ts has it on.
    env: { CDK_VALIDATION: 'false' },
    // Only what hangs takes so long: none is to fail because the machine is busy.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // What is waited for comes: a busy machine needs more than the second that is vitest's own.
    expect: { poll: { timeout: 120_000 } },
  },
});
