/** Slack's Block Kit: a report as blocks, and the limits of any message. https://api.slack.com/reference/block-kit/blocks */

import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import { cut, seen } from '../../expression/mask.ts';
import type { Mapping, Value } from '../../language/workflow.ts';
import type { Report } from './report.ts';

/** Characters, but for BLOCKS and FIELDS. A message beyond one of them is refused as a whole. */
const SECTION = 3_000;
const FIELD = 2_000;
const HEADER = 150;
const BLOCKS = 50;
const FIELDS = 10;
/** Slack cuts a longer text itself, without saying so. */
const TEXT = 40_000;

/** Lines of a traceback that are shown: its last frames and the exception. */
const LINES = 15;

const ICONS = { failure: ':x:', recovery: ':white_check_mark:', sla: ':hourglass:', alarm: ':warning:' } as const;

export function slackMessage(given: Report): Mapping {
  // Before anything is cut.
  const report = seen.maskAll(given);
  const { kind, title, text, error, retry, links } = report;
  const shown = lastLines(report.traceback ?? '', LINES);
  const blocks: Mapping[] = [
    { type: 'header', text: { type: 'plain_text', text: cut(`${ICONS[kind]} ${title}`, HEADER), emoji: true } },
    ...(text === undefined ? [] : [section(within(text, SECTION))]),
    ...chunks(report.fields, FIELDS).map((some) => ({
      type: 'section',
      fields: some.map(([name, value]) => ({
        type: 'mrkdwn',
        text: `*${escapeText(name)}*\n${within(value, FIELD - name.length * 5 - 3)}`,
      })),
    })),
    ...(error === undefined || error === '' ? [] : [section(code(error, 'start'))]),
    ...(shown === '' ? [] : [section(code(shown, 'end'))]),
    ...(links.length === 0 ? [] : [section(links.map(link).join('  ·  '))]),
    ...(retry === undefined ? [] : [section(`Run it again from where it failed: \`${within(retry, FIELD)}\``)]),
  ];
  const summary = [title, text ?? error].filter((part) => part !== undefined && part !== '').join(': ');
  return { text: within(summary, SECTION), blocks };
}

/** The text of a slack> or notify> that is no report. */
export function slackText(text: string): string {
  return cut(text, TEXT);
}

/** The author's own text, cut where Slack would refuse the whole message. */
export function withinLimits(message: Mapping): Mapping {
  const { text, blocks } = message;
  return {
    ...message,
    ...present({ text: typeof text === 'string' ? cut(text, TEXT) : undefined }),
    ...(Array.isArray(blocks) && { blocks: limited(blocks) }),
  };
}

function limited(blocks: readonly Value[]): Value[] {
  const rest = blocks.length - BLOCKS + 1;
  const kept = rest <= 1 ? blocks : blocks.slice(0, BLOCKS - 1);
  const note = { type: 'context', elements: [{ type: 'plain_text', text: `… and ${rest} more blocks` }] };
  return [...kept.map(limitedBlock), ...(rest <= 1 ? [] : [note])];
}

function limitedBlock(block: Value): Value {
  if (!isMapping(block)) return block;
  const { type, text, fields } = block;
  const shorter = (value: Value | undefined, limit: number): Value | undefined =>
    isMapping(value) && typeof value.text === 'string' ? { ...value, text: cut(value.text, limit) } : value;
  const given: Mapping = { ...block };
  if (text !== undefined) given.text = shorter(text, type === 'header' ? HEADER : SECTION) ?? null;
  if (Array.isArray(fields)) given.fields = fields.slice(0, FIELDS).map((field) => shorter(field, FIELD) ?? null);
  return given;
}

/** The three characters that mean something to Slack everywhere in mrkdwn. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Escapes the text, and cuts its end if it would then have more than `limit` characters. */
export function within(text: string, limit: number): string {
  const escaped = escapeText(text);
  if (escaped.length <= limit) return escaped;
  return `${taken([...text], limit - 1)}…`;
}

/** As many characters as fit when escaped; none is cut in two. */
function taken(characters: readonly string[], limit: number): string {
  let room = limit;
  const kept: string[] = [];
  for (const character of characters) {
    const escaped = escapeText(character);
    room -= escaped.length;
    if (room < 0) break;
    kept.push(escaped);
  }
  return kept.join('');
}

/** A preformatted text, of which the start or the end is kept. */
function code(text: string, keep: 'start' | 'end'): string {
  // A text of three backticks would end it.
  const safe = text.replaceAll('```', "'''").replace(/\s+$/, '');
  const limit = SECTION - 8;
  if (escapeText(safe).length <= limit) return `\`\`\`\n${escapeText(safe)}\n\`\`\``;
  if (keep === 'start') return `\`\`\`\n${within(safe, limit)}\n\`\`\``;
  // Whole lines, as far as they go.
  const lines = safe.split('\n');
  let from = lines.length - 1;
  while (from > 0 && escapeText(lines.slice(from - 1).join('\n')).length <= limit - 2) from--;
  return `\`\`\`\n${within(`…\n${lines.slice(from).join('\n')}`, limit)}\n\`\`\``;
}

export function lastLines(text: string, count: number): string {
  const lines = text.trimEnd().split('\n');
  return lines.length <= count ? lines.join('\n') : ['…', ...lines.slice(-count)].join('\n');
}

function section(text: string): Mapping {
  return { type: 'section', text: { type: 'mrkdwn', text } };
}

function link({ title, url }: Report['links'][number]): string {
  return `<${escapeText(url).replaceAll('|', '%7C')}|${escapeText(title)}>`;
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
