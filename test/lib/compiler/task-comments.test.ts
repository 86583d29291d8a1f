import { describe, expect, it } from 'vitest';
import type { StateMachine } from '../../../lib/asl/types.ts';
import { parseMachine } from '../../../lib/asl/validate.ts';
import { definitionText } from '../../../lib/compiler/definition-text.ts';
import { taskComments, withTaskComments } from '../../../lib/compiler/task-comments.ts';
import type { TaskInfo } from '../../../lib/contract/task-info.ts';

const machine: StateMachine = {
  QueryLanguage: 'JSONata',
  StartAt: 'a',
  States: {
    a: { Type: 'Pass', Next: 'b', Comment: 'of somebody else' },
    b: {
      Type: 'Parallel',
      Branches: [{ StartAt: 'c', States: { c: { Type: 'Pass', End: true } } }],
      Next: 'd',
    },
    d: {
      Type: 'Map',
      ItemProcessor: { StartAt: 'e', States: { e: { Type: 'Pass', End: true } } },
      End: true,
    },
  },
};

describe('tasks in the comments of states', () => {
  it.each<[string, TaskInfo]>([
    ['c', { operator: 'py', task: '+main+load', at: 'main.dig:3' }],
    ['c', { operator: 's3_wait', task: '+main+wait', at: 'sub folder/a (1), b.dig:3', role: 'polls' }],
    ['c', { operator: 'py', task: '+my flow (1)+load', at: 'my flow (1).dig:3' }],
    ['e', { operator: 'echo', at: 'main.dig:12', role: 'prepares' }],
    ['e', { operator: 'sh', task: '+m+${x}(y)', at: '${dir}/main.dig:1' }],
  ])('are read back from what was deployed: %s %j', (state, info) => {
    const text = definitionText(withTaskComments(machine, { [state]: info }));
    expect('machine' in parseMachine(text)).toBe(true);
    expect(taskComments(JSON.parse(text) as StateMachine)).toEqual({ [state]: info });
    expect(JSON.stringify(text)).not.toContain('${');
  });

  it('are left out where a definition would become too large', () => {
    const large = { ...machine, Comment: 'x'.repeat(1024 * 1024 - 600) };
    expect(withTaskComments(large, { c: { operator: 'py', at: `${'y'.repeat(1000)}:1` } })).toBe(large);
  });
});
