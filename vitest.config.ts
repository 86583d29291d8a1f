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

/** Rooms without a state of their own. Their files share processes: the start of one, and its imports, would take a third of the time. */
const PURE = ['asl', 'cloud', 'compiler', 'contract', 'engine', 'language'].map(
  (room) => `test/lib/${room}/**/*.test.ts`,
);
const SLOW = 'test/**/slow/**';

const common = {
  maxConcurrency: 4,
  // The CDK's own validation of a template takes seconds each time; test/lib/cloud/cfn-lint.test.ts has it on.
  env: { CDK_VALIDATION: 'false' },
  // Only what hangs takes so long: none is to fail because the machine is busy.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  // What is waited for comes: a busy machine needs more than the second that is vitest's own.
  expect: { poll: { timeout: 120_000 } },
};

export default defineConfig({
  test: {
    globalSetup: ['test/setup.ts'],
    // Two cores, and most tests start processes of their own, for whose end they wait.
    maxWorkers: 3,
    sequence: { sequencer: RunnerFirst },
    projects: [
      { test: { ...common, name: 'own process', include: ['test/**/*.test.ts'], exclude: [SLOW, ...PURE] } },
      { test: { ...common, name: 'shared process', include: PURE, exclude: [SLOW], isolate: false } },
    ],
  },
});
