/** The templates of all examples. Covers lib/cloud/trowel-stack.ts. */
import '../cfn-lint.test.ts';
