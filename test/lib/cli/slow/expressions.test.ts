/** Every expression that does not end. Covers lib/cli/actions/run.ts, lib/expression/sandbox.ts. */
import '../expressions.test.ts';
