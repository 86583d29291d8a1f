// `trowel app`, in which sh> has a second container: the command is the test's, for a table that no project has.
import { main } from '../../../lib/cli/main.ts';
import type { OperatorSpec } from '../../../lib/language/operators/spec.ts';
import { OPERATORS } from '../../../lib/language/operators.ts';

const beside = JSON.parse(process.env.BESIDE ?? '');
(OPERATORS as { [name: string]: OperatorSpec }).sh = { ...OPERATORS.sh, beside } as OperatorSpec;
await main(['app'], '0.0.0');
