/** What somebody new gets wrong first, and whether the answer says what to do. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { example } from './example.ts';

/** A workflow beside the quickstart's, and what stands in the answer of `trowel run`. */
const MISTAKES: readonly (readonly [what: string, text: string, ...answer: string[]])[] = [
  [
    'wrong indentation',
    '+a:\n  echo>: hi\n   x: 1\n',
    'slip.dig:3:4 error',
    '`x:` is indented below `echo>:`',
    'Write:\n      |     echo>: hi\n',
  ],
  [
    'an operator out of its task',
    '+a:\necho>: hi\n',
    'slip.dig:1:1 error',
    'The task +a is empty',
    'indent it by two spaces',
  ],
  ['a tab', '+a:\n\techo>: hi\n', 'slip.dig:2:1 error', 'YAML allows only spaces'],
  ['a misspelt operator', '+a:\n  ech>: hi\n', 'slip.dig:2:3 error', "Did you mean 'echo>'?"],
  ['an operator without its >', '+a:\n  py: tasks.trend.fit\n', 'slip.dig:2:3 error', 'Did you mean `py>:`?'],
  ['a task without its +', 'a:\n  echo>: hi\n', 'slip.dig:1:1 error', 'the name of a task begins with +'],
  ['a colon in a text', '+a:\n  echo>: note: this\n', 'slip.dig:2:14 error', 'echo>: "note: this"'],
  ['a key without its _', '+a:\n  echo>: hi\n  retry: 3\n', 'slip.dig:3:3 warning', "Did you mean '_retry'?"],
  ['a missing file', '+a:\n  call>: mian.dig\n', 'slip.dig:2:10 error', 'File not found: mian.dig'],
  [
    'an undefined variable',
    '_export:\n  city: x\n+a:\n  echo>: ${ciyt}\n',
    'slip.dig:4:12 warning',
    "Did you mean 'city'?",
  ],
  ['a missing module', '+a:\n  py>: task.trend.fit\n', "No module named 'task'. Did you mean 'tasks'?"],
  ['a module elsewhere', '+a:\n  py>: etl.load\n', "No module named 'etl'. etl.py or etl/ should be in /"],
  [
    'a missing function',
    '+a:\n  py>: tasks.trend.fitt\n',
    "Module 'tasks.trend' has no attribute 'fitt'. Did you mean 'fit'?",
  ],
  ['a function alone', '+a:\n  py>: fit\n', 'write module.function'],
  ['a missing argument', '+a:\n  py>: tasks.trend.fit\n', "Method 'fit' requires parameter 'region' but not set"],
  [
    'a package that is not installed',
    '+a:\n  py>: needy.go\n',
    "No module named 'pandaz'",
    'Name it in requirements.txt',
  ],
  ['a command that is not there', '+a:\n  sh>: pyton x.py\n', 'pyton: not found', 'Command failed with code 127'],
];

describe('first mistakes', () => {
  it.each(MISTAKES)('%s', async (_, text, ...answer) => {
    const { trowel, folder } = await example('quickstart');
    await writeFile(join(folder, 'slip.dig'), text);
    await writeFile(join(folder, 'needy.py'), 'import pandaz\ndef go(): pass\n');
    const { code, stdout, stderr } = await trowel('run', 'slip.dig');
    expect(code).toBe(answer[0]?.includes('3:3 warning') ? 0 : 1);
    for (const part of answer) expect(stdout + stderr).toContain(part);
    expect(stdout + stderr).not.toMatch(/at .*\.js:\d+|trowel_task/);
  });

  it.each([
    ['trowel run quickstart', 'quickstart is a folder; as a project: --project quickstart'],
    ['trowel run quickstart/mian.dig', "Did you mean 'quickstart/main'?"],
    ['trowel rum quickstart/main.dig', 'Did you mean run?'],
    ['trowel run quickstart/main.dig -p days', 'expected KEY=VALUE'],
    ['trowel run', 'Make a project with: trowel init my_project'],
    ['cd quickstart && trowel run', 'There are main.dig, send-report.dig'],
    ['cd quickstart && trowel run main +repotr', '+report'],
  ])('%s', async (line, answer) => {
    const { shell } = await example('quickstart');
    const { code, stdout, stderr } = await shell(line);
    expect([1, 2]).toContain(code);
    expect(stdout).toBe('');
    expect(stderr).toContain(answer);
  });
});
