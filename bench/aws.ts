/**
 * What workflows cost on AWS: `node --import tsx bench/aws.ts`. Prints the tables of docs/performance.md: transitions, events and containers of the
 * examples, counted on lib/engine with their real tasks, and a simulation of time and money. Nothing is measured on AWS.
 */
import { join } from 'node:path';
import { LIMITS } from '../lib/asl/limits.ts';
import { countExamples } from './aws/examples.ts';
import { PRICES, TIMES } from './aws/prices.ts';
import { type Shape, type Simulated, simulate } from './aws/simulate.ts';

const ROOT = join(import.meta.dirname, '..');
const EXAMPLES = ['examples/quickstart', 'examples/operator-guide', 'templates/project'];

console.log(
  '| workflow | containers | transitions | plain | events | plain | functions |\n|---|---|---|---|---|---|---|',
);
for (const folder of EXAMPLES) {
  for (const { name, status, tasks, trowel, plain } of await countExamples(join(ROOT, folder))) {
    const shown = status === 'succeeded' ? name : `${name} (${status})`;
    const cells = [shown, tasks, trowel.transitions, plain.transitions, trowel.events, plain.events, trowel.functions];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

const SHAPES: { readonly [shape in Shape]: string } = {
  sequence: 'in sequence',
  loop: 'in a loop, 40 at once a machine',
  group: 'in a group, all at once',
};
const time = (seconds: number): string =>
  seconds < 3600 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
const told = ({ seconds, events }: Simulated): string =>
  events > LIMITS.historyEvents ? `fails: ${events.toLocaleString('en')} events` : time(seconds);
for (const taskSeconds of [10, 300]) {
  console.log(
    `\nTasks of ${taskSeconds} s, ${TIMES.vcpus} vCPU and ${TIMES.gigabytes} GB:\n\n| tasks | | time | plain | dollars | plain | of these containers | transitions | plain | executions | refused RunTask calls | tasks given up |\n|---|---|---|---|---|---|---|---|---|---|---|---|`,
  );
  for (const count of [20, 200, 2000]) {
    for (const shape of Object.keys(SHAPES) as Shape[]) {
      const [trowel, plain] = [
        await simulate(shape, count, taskSeconds, false),
        await simulate(shape, count, taskSeconds, true),
      ];
      const cells = [
        ...[count.toLocaleString('en'), SHAPES[shape], told(trowel), told(plain)],
        ...[trowel.dollars.toFixed(3), plain.dollars.toFixed(3), trowel.containers.toFixed(3)],
        ...[trowel.transitions, plain.transitions, trowel.executions, trowel.throttled, trowel.lost],
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}
const month = 730;
console.log(
  `\nAt rest a month: MWAA's smallest environment ${(PRICES.mwaaHour * month).toFixed(0)} dollars, a server of 2 processors ${(PRICES.serverHour * month).toFixed(0)}.`,
);
