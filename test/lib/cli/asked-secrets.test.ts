/** Secrets that data names are none. Covers lib/local/run/run-secrets.ts, lib/cli/actions/run.ts. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Received, serve } from '../functions/http/server.ts';
import { project, trowel } from './run-cli.ts';

const ASKING = '${secret:admin.key}';
const VALUE = 'THE-ADMIN-KEY';
/** What `x` is at each place where `data` stands, each beside a secret that the workflow itself names. */
const uses = (data: string): string => `
    +env: {sh>: 'echo "env $A"', _env: {A: "${data} \${secret:own}"}}
    +sh: {sh>: "echo 'sh ${data}' \${secret:own}"}
    +py: {py>: t.show, text: "${data}", _env: {A: "${data} \${secret:own}"}}
    +web:
      http>: "URL/p?u=\${encodeURIComponent(${data.slice(2, -1)})}"
      method: POST
      headers: [{X-Own: "\${secret:own}"}, {X-Data: "${data}"}, {"X-\${secret:own}": "1"}]
      query: {q: "${data}", own: "\${secret:own}"}
      content: {c: ["${data}", {d: "\${secret:own}"}]}
    +hook: {slack>: "${data}", url: "URL/hook?d=\${encodeURIComponent(${data.slice(2, -1)})}"}
`;

const MAIN = `
_export:
  exported: "\${given}"
+fetch:
  py>: t.store
+given:
${uses('${given}')}
+mapping:
${uses('${nested.deep}')}
+exported:
  sh>: "echo 'sh \${exported}' \${secret:own}"
+stored:
${uses('${stored}')}
+answer:
  http>: URL/answer
  store_content: true
+answered:
${uses('${http.last_content}')}
+items:
  for_each>: {item: "\${list}"}
  _do:
${uses('${item}')}
+written:
  for_each>: {item: ["\${secret:admin.key}"]}
  _do:
${uses('${item}')}
+called:
  call>: other
+caught:
  fail>: "\${stored}"
  _error:
${uses('${error.message}')}
`;

const CODE = `
import os

import digdag

ASKING = "$" + "{secret:admin.key}"

def store():
    digdag.env.store(stored=ASKING, list=[ASKING])
    digdag.env.export({"late": ASKING})
    digdag.env.add_subtask(show, text=ASKING)
    digdag.env.add_subtask({"_type": "sh", "_command": "echo " + repr(ASKING), "_env": {"A": ASKING, "B": "$" + "{secret:own}"}})
    digdag.env.add_subtask({"_type": "http", "_command": "URL/p", "headers": [{"X-Data": ASKING}]})

def show(text):
    print("py", text, os.environ.get("A"))
`;

it('text that came in as data asks for no secret, wherever it stands', async () => {
  const answers = ({ url }: Received) => ({ body: url === '/answer' ? ASKING : 'ok' });
  const server = await serve(answers);
  onTestFinished(() => server.close());
  const at = (text: string): string => text.replaceAll('URL', server.url);
  const cwd = await project({
    'main.dig': at(MAIN),
    'other.dig': `${at(uses('${stored}')).replaceAll(/^ {4}/gm, '')}`,
    't.py': at(CODE),
    'p.json': JSON.stringify({ nested: { deep: ASKING } }),
  });
  const env = { XDG_CONFIG_HOME: join(cwd, 'config') };
  await trowel(['secrets', '--local', '--set', `admin.key=${VALUE}`, 'own=own-value'], { cwd, env });
  const ran = await trowel(['run', 'main', '-p', `given=${ASKING}`, '-P', 'p.json'], { cwd, env });
  expect(ran.code, ran.stderr).toBe(1);
  expect(JSON.stringify(server.received)).not.toContain(VALUE);
  // It would have been hidden, had it been read.
  expect(`${ran.stdout}${ran.stderr}`).not.toMatch(/THE-ADMIN|(?:env|sh|py) \*\*\*/);
  const sent = server.received.filter(({ url }) => url.startsWith('/p?'));
  expect(sent.length).toBe(8);
  for (const { url, headers, body } of sent) {
    const query = new URLSearchParams(url.slice(3));
    expect([headers['x-data'], query.get('u'), query.get('q')]).toEqual([ASKING, ASKING, ASKING]);
    expect([headers['x-own'], headers['x-own-value'], query.get('own')]).toEqual(['own-value', '1', 'own-value']);
    expect(JSON.parse(body)).toEqual({ c: [ASKING, { d: 'own-value' }] });
  }
  expect(ran.stdout.split('\n').filter((line) => line === `env ${ASKING} ***`).length).toBe(8);
  expect(ran.stdout.split('\n').filter((line) => line === `sh ${ASKING} ***`).length).toBe(9);
});
