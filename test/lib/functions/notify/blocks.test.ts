import { describe, expect, it } from 'vitest';
import { escapeText, slackMessage, withinLimits } from '../../../../lib/functions/notify/blocks.ts';
import { plainText, subjectLine } from '../../../../lib/functions/notify/plain-text.ts';
import { failureReport, innermost, type Report } from '../../../../lib/functions/notify/report.ts';

const TRACE = [
  'Traceback (most recent call last):',
  ...Array.from({ length: 30 }, (_, i) => `  File "tasks/load.py", line ${i}, in <module>`),
  'ValueError: no <rows> & more',
].join('\n');

const ATTEMPT: Parameters<typeof failureReport>[0] = {
  workflow: 'main',
  status: 'FAILED',
  session: '2030-01-31T00:00:00+00:00',
  attempt: 'main-1896048000',
  failure: {
    name: 'Trowel.TaskFailed',
    message:
      'Python command failed with code 1\nError messages from python: no <rows> & more (ValueError)\n\tfrom x (runtime)',
    task: '+main+load',
    log: 'https://eu-west-1.console.aws.amazon.com/cloudwatch/home#logs',
  },
  traceback: TRACE,
  execution: 'https://eu-west-1.console.aws.amazon.com/states/home#/x',
  retry: 'trowel retry main-1896048000 --resume',
};

interface Block {
  readonly type: string;
  readonly text?: { readonly type: string; readonly text: string };
  readonly fields?: readonly { readonly text: string }[];
}

const blocksOf = (report: Report) => slackMessage(report).blocks as unknown as Block[];
const textOf = (report: Report): string => JSON.stringify(blocksOf(report));

describe('the Slack message', () => {
  it('says who, what, why, where and how to go on', () => {
    const message = slackMessage(failureReport(ATTEMPT));
    expect(message.text).toBe('main failed: no &lt;rows&gt; &amp; more (ValueError)');
    const [header, fields, error, traceback, links, retry] = message.blocks as unknown as Block[];
    expect(header).toEqual({ type: 'header', text: { type: 'plain_text', text: ':x: main failed', emoji: true } });
    expect(fields?.fields?.map(({ text }) => text)).toEqual([
      '*Workflow*\nmain',
      '*Session*\n2030-01-31T00:00:00+00:00',
      '*Task*\n+main+load',
      '*Attempt*\nmain-1896048000',
      '*Error*\nTrowel.TaskFailed',
    ]);
    expect(error?.text?.text).toBe('```\nno &lt;rows&gt; &amp; more (ValueError)\n```');
    const lines = traceback?.text?.text.split('\n') ?? [];
    expect([lines[0], lines[1], lines.at(-2), lines.length]).toEqual([
      '```',
      '…',
      'ValueError: no &lt;rows&gt; &amp; more',
      18,
    ]);
    expect(links?.text?.text).toBe(`<${ATTEMPT.execution}|Execution>  ·  <${ATTEMPT.failure.log}|Log>`);
    expect(retry?.text?.text).toContain('`trowel retry main-1896048000 --resume`');
  });

  it('has the exit code of what the task ran, if there is one', () => {
    const failure = { ...ATTEMPT.failure, exit: 137 };
    const [, fields] = blocksOf(failureReport({ ...ATTEMPT, failure }));
    expect(fields?.fields?.at(-1)?.text).toBe('*Exit code*\n137');
  });

  it.each<[string, string]>([
    ['long', 'x'.repeat(50_000)],
    ['long and of what is escaped', '<&>'.repeat(20_000)],
    ['of surrogates', '😀'.repeat(20_000)],
    ['of many long lines', `${'y&'.repeat(900)}\n`.repeat(40)],
  ])('stays within the limits where texts are %s', (_name, text) => {
    const failure = { ...ATTEMPT.failure, message: text, task: text };
    const report = failureReport({ ...ATTEMPT, failure, traceback: text, text, session: text });
    for (const block of blocksOf(report)) {
      expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(block.type === 'header' ? 150 : 3000);
      for (const { text: field } of block.fields ?? []) expect(field.length).toBeLessThanOrEqual(2000);
    }
    // Nothing is cut in two: neither an entity nor a character.
    expect(textOf(report)).not.toMatch(/&(?!(?:amp|lt|gt);)|\\ud83d(?!\\ude00)/);
    expect(Buffer.from(textOf(report)).toString()).not.toContain('\ufffd');
    expect(textOf(report)).toContain('…');
  });

  it('keeps the exception of a traceback whose lines are long', () => {
    const traceback = `${`${'frame '.repeat(300)}\n`.repeat(10)}ValueError: the end`;
    expect(textOf(failureReport({ ...ATTEMPT, traceback }))).toContain('ValueError: the end\\n```');
  });

  it('cannot be left by backticks, and links only where they are known', () => {
    const { execution: _, retry: __, ...rest } = ATTEMPT;
    const failure = { name: 'X', message: 'a ``` b', log: '/home/me/x.log' };
    const text = textOf(failureReport({ ...rest, failure, traceback: undefined }));
    expect(text).toContain("```\\na ''' b\\n```");
    expect(text).not.toMatch(/\|Log>|\|Execution>|Run it again/);
  });

  it('escapes what Slack reads as markup', () => {
    expect(escapeText('<!channel> & <@U1>')).toBe('&lt;!channel&gt; &amp; &lt;@U1&gt;');
  });
});

describe('what an author wrote as blocks', () => {
  const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });

  it('is left alone within the limits', () => {
    const message = { text: '<!here> *x*', blocks: [section('<https://x|y>'), { type: 'divider' }], channel: '#c' };
    expect(withinLimits(message)).toEqual(message);
  });

  it('is cut beyond them', () => {
    const blocks = Array.from({ length: 80 }, () => section('z'.repeat(4000)));
    const { blocks: cut } = withinLimits({ blocks }) as unknown as { blocks: Block[] };
    expect(cut).toHaveLength(50);
    expect(cut[0]?.text?.text).toHaveLength(3000);
    expect(JSON.stringify(cut[49])).toContain('… and 31 more blocks');
  });
});

describe('the mail', () => {
  it('has the same as text', () => {
    const text = plainText(failureReport(ATTEMPT));
    expect(text).toMatch(/^main failed\n\nWorkflow: main\nSession: {2}2030-01-31/);
    expect(text).toContain('\n\nno <rows> & more (ValueError)\n\nTraceback (most recent call last):\n');
    expect(text).toContain(`Execution: ${ATTEMPT.execution}\nLog: ${ATTEMPT.failure.log}`);
    expect(text).toMatch(/Run it again from where it failed:\n {2}trowel retry main-1896048000 --resume$/);
  });

  it('has a subject that SNS takes', () => {
    expect(subjectLine(`größer\n${'x'.repeat(200)}`)).toBe(`gr?er?${'x'.repeat(93)}`);
  });
});

describe('the error of an execution', () => {
  const cause = JSON.stringify({ message: 'boom', task: '+main+x' });
  it.each<[string, string | undefined, string | undefined, object]>([
    ['of the runner', 'Trowel.TaskFailed', cause, { name: 'Trowel.TaskFailed', message: 'boom', task: '+main+x' }],
    ['of a function', 'X', '{"errorType":"X","errorMessage":"no"}', { name: 'X', message: 'no' }],
    [
      'of the service',
      'States.Timeout',
      undefined,
      {
        name: 'States.Timeout',
        message: 'The task took longer than it may, or its container fell silent (States.Timeout)',
      },
    ],
    [
      'of an execution within',
      'States.TaskFailed',
      JSON.stringify({ ExecutionArn: 'arn', Status: 'FAILED', Error: 'Trowel.TaskFailed', Cause: cause }),
      { name: 'Trowel.TaskFailed', message: 'boom' },
    ],
    [
      'of one that timed out',
      'States.TaskFailed',
      JSON.stringify({ ExecutionArn: 'arn', Status: 'TIMED_OUT' }),
      { name: 'States.Timeout' },
    ],
    ['cut in the middle', 'X', cause.slice(0, 20), { name: 'X', message: 'boom' }],
  ])('%s', (_name, error, text, expected) => {
    expect(innermost({ Error: error, Cause: text })).toMatchObject(expected);
  });
});
