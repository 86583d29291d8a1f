/** A loop over as many items as there may be: they go through the value store, and the command line holds few of them at a time. */
import { expect, it } from 'vitest';
import { MAX_ITEMS } from '../../../lib/expression/items.ts';
import { project } from '../../lib/cli/run-cli.ts';
import { endsOf, eventsOf, trowel } from '../cli.ts';

const COUNT = Number(process.env.TROWEL_ITEMS ?? MAX_ITEMS);
/** MB of the command line, whose own start takes 60. */
const MOST_MEMORY = 250;

const TASKS = `
import digdag


def find():
    digdag.env.store({"parts": [{"name": f"part-{n}", "pad": "x" * 180} for n in range(${COUNT})]})
`;

const WORKFLOW = `
timezone: UTC
+find: {py>: tasks.find}
+each:
  for_each>: {part: "\${parts}"}
  _parallel: true
  _do: {echo>: "\${part.name}"}
+last: {echo>: all done}
`;

it(`runs a parallel loop over ${COUNT} items of 200 bytes`, async () => {
  const cwd = await project({ 'main.dig': WORKFLOW, 'tasks.py': TASKS, 'trowel.yml': '' });
  const { code, peak, stderr } = await trowel(['run', 'main.dig'], { cwd, discard: true });
  expect(code, stderr).toBe(0);
  expect(peak).toBeGreaterThan(50);
  expect(peak).toBeLessThan(MOST_MEMORY);
  expect(endsOf(eventsOf(cwd, 1)).length).toBe(COUNT + 2);
}, 1_800_000);
