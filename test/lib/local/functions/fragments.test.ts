import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { project, trowel } from '../../cli/run-cli.ts';

/** What http_call> fetches, by path. */
const ANSWERS: { readonly [path: string]: string } = {
  '/w.json':
    '{"_export": {"pet": "cat"}, "+store": {"py>": "tasks.put", "n": 5}, "+say": {"echo>": "json ${pet} ${who}"}}',
  '/w.yml': '+say:\n  echo>: yaml ${who}\n+again:\n  loop>: 2\n  _do: {echo>: "round ${i}"}\n',
  '/broken.yml': '+say:\n  ech>: typo\n',
  '/fails.yml': '+say:\n  fail>: no ${who}\n',
};
const TASKS = `
import digdag
def put(n):
    digdag.env.store({"n": n})
def make():
    digdag.env.add_subtask({"call>": "part"})
    digdag.env.add_subtask({"for_each>": {"x": ["a", "b"]}, "_do": {"echo>": "each \${x} \${who}"}})
    digdag.env.add_subtask({"if>": "\${who == 'world'}", "_do": {"py>": "tasks.put", "n": 7}})
def bad():
    digdag.env.add_subtask({"loop>": "many", "_do": {"echo>": "never"}})
`;

describe('tasks that become known while a workflow runs', () => {
  let server: Server;
  let url = '';
  beforeAll(async () => {
    server = createServer((request, response) => {
      response.end(ANSWERS[request.url ?? ''] ?? '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const run = async (main: string): ReturnType<typeof trowel> => {
    const files = { 'main.dig': main, 'part.dig': '+x: {echo>: "part ${who}"}', 'tasks.py': TASKS };
    return trowel(['run', 'main', '-p', `url=${url}`], { cwd: await project(files) });
  };

  it('http_call> runs the JSON or YAML workflow that it fetches, in the scope where it stands', async () => {
    const { code, stdout, stderr } = await run(
      `_export: {who: world}\n+a: {http_call>: "\${url}/w.json"}\n+b: {http_call>: "\${url}/w.yml"}\n+c: {echo>: "n is \${n}"}`,
    );
    expect(stderr).toContain('ok      +main+a^sub+say');
    expect(stdout).toBe('json cat world\nyaml world\nround 0\nround 1\nn is 5\n');
    expect(code).toBe(0);
  });

  it.each([
    ['broken.yml', "Did you mean 'echo>'"],
    ['fails.yml', 'no world'],
  ])('http_call> of %s fails, and says why', async (file, message) => {
    const { code, stderr } = await run(
      `_export: {who: world}\n+a: {http_call>: "\${url}/${file}", _error: {echo>: handled}}`,
    );
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  it('add_subtask takes call>, loops and if>; their stores reach later tasks', async () => {
    const { code, stdout, stderr } = await run(
      `_export: {who: world}\n+a: {py>: tasks.make}\n+c: {echo>: "n is \${n}"}`,
    );
    expect(stdout, stderr).toBe('part world\neach a world\neach b world\nn is 7\n');
    expect(stderr).toContain('+main+a^sub+subtask0^sub+x');
    expect(code).toBe(0);
  });

  it('add_subtask of a task that cannot be fails, and names the value', async () => {
    const { code, stderr } = await run('+a: {py>: tasks.bad}');
    expect(code).toBe(1);
    expect(stderr).toContain('many');
  });
});

describe('require>', () => {
  it('runs a workflow once a session, again where rerun_on says so, and tells only what failed', async () => {
    const cwd = await project({
      'main.dig': `
+a: {require>: other}
+b: {require>: other}
+c: {require>: other, rerun_on: all, params: {who: "c \${session_date}"}}
+d: {require>: bad, ignore_failure: true}
+e: {require>: bad, rerun_on: failed, ignore_failure: true}
+f: {require>: bad}
`,
      'other.dig': '+x:\n  echo>: "other ${this.who}"',
      'bad.dig': '+x:\n  sh>: echo bad; exit 3',
    });
    const { code, stdout, stderr } = await trowel(['run', 'main', '--session', '2030-01-02'], { cwd });
    expect(stdout).toBe('other \nother c 2030-01-02\nbad\nbad\n');
    for (const task of ['a', 'b', 'c', 'd', 'e']) expect(stderr).toContain(`ok      +main+${task} `);
    expect(stderr).toContain('failed  +main+f  0.0');
    expect(stderr).toContain('Dependent workflow failed: bad');
    expect(stderr).not.toContain('Execution Already Exists');
    expect(code).toBe(1);
  });
});
