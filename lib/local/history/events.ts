import { closeSync, createReadStream, existsSync, openSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { RunEvent } from '../../events/run-event.ts';
import { eventsFile, logFile, type OutputPointer } from './attempt-files.ts';
import { type Fields, hasFields } from './fields.ts';

const EVENTS: { readonly [type: string]: Fields } = {
  'run-started': { workflow: 'string', session_time: 'string', attempt: 'number' },
  notice: { message: 'string' },
  'task-started': { task: 'string', operator: 'string', try: 'number' },
  'task-output': { task: 'string', at: 'number', bytes: 'number' },
  'task-report': { task: 'string', kind: 'string', level: 'string' },
  'task-retrying': { task: 'string', seconds: 'number', message: 'string' },
  'task-succeeded': { task: 'string', seconds: 'number' },
  'task-failed': { task: 'string', seconds: 'number', error: 'string', message: 'string' },
  'run-ended': { status: 'string', seconds: 'number' },
};

/** The events of an attempt, with the tasks' output. Lines that are no event (a torn last one) are passed over. */
export async function* readEvents(directory: string): AsyncGenerator<RunEvent> {
  const path = eventsFile(directory);
  if (!existsSync(path)) return;
  for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
    const event = parseEvent(line);
    if (event !== undefined) yield event.type === 'task-output' ? withText(directory, event) : event;
  }
}

function withText(directory: string, pointer: OutputPointer): RunEvent {
  const { at, bytes, ...event } = pointer;
  return { ...event, text: readAt(logFile(directory, event.task), at, bytes) };
}

function parseEvent(line: string): Exclude<RunEvent, { type: 'task-output' }> | OutputPointer | undefined {
  try {
    const event: unknown = JSON.parse(line);
    if (!hasFields<{ type: string; time: string }>(event, { type: 'string', time: 'string' })) return undefined;
    const fields = Object.hasOwn(EVENTS, event.type) ? EVENTS[event.type] : undefined;
    return fields !== undefined && hasFields<RunEvent & OutputPointer>(event, fields) ? event : undefined;
  } catch {
    return undefined;
  }
}

function readAt(path: string, at: number, bytes: number): string {
  try {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(file, buffer, 0, bytes, at)).toString('utf8');
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}
