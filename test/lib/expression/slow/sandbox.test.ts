/** Every expression that does not end. Covers lib/expression/sandbox.ts. */
import '../sandbox.test.ts';
