import aslValidator from 'asl-validator';
import type { StateMachine } from '../../../lib/asl/types.ts';

/**
 * What asl-validator finds in these machines; empty if nothing. It makes its schemas anew each time it is called, which takes 0.2 s: so it sees all
 * machines as branches of one, the names of their states numbered.
 */
export function faultsOf(machines: readonly StateMachine[]): string {
  const branches = machines.map(({ StartAt, States }, number) => numbered({ StartAt, States }, number));
  const all = {
    QueryLanguage: 'JSONata',
    StartAt: 'All',
    States: { All: { Type: 'Parallel', Branches: branches, End: true } },
  };
  const { isValid, errorsText } = aslValidator(all);
  return isValid ? '' : errorsText('\n');
}

/** Also without what asl-validator 4.0.0 refuses wrongly: a text that is empty or has several lines. */
function numbered(part: unknown, number: number): unknown {
  return JSON.parse(JSON.stringify(part), (key, value: unknown) => {
    if (typeof value === 'string') {
      const name = /^(StartAt|Next|Default)$/.test(key) ? `${number} ${value}` : value;
      return name.replaceAll('\n', ' ') || ' ';
    }
    if (key !== 'States' || typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, state]) => [`${number} ${name}`, state]));
  });
}
