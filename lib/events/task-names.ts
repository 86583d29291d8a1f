/** Shortens a task's name for a terminal. Events, files and logs keep it in full, as digdag gives it. */
import { TAG_LENGTH } from '../expression/items.ts';
import { clean } from './text.ts';

/** `+main+loop^sub+loop-0+x` → `+main`, `+loop`, `+loop-0`, `+x`: a generated `^sub` goes with what follows it. */
export function nameParts(task: string): string[] {
  const parts = task.match(/[+^][^+^]*/g) ?? [task];
  return parts.filter((part, i) => part !== '^sub' || i === parts.length - 1);
}

/** A part of a name: of an iteration its item, `+for-0=region=1=south` → `south`; everything else as it is. */
export function shownPart(part: string): string {
  const range = /^\+range-from=(-?\d+)&to=(-?\d+)$/.exec(part);
  if (range !== null) return `${range[1]} to ${range[2]}`;
  const tags = /^\+for-(\d+=.*)$/.exec(part)?.[1]?.split('&').map(shownItem) ?? [];
  return tags.length === 0 || tags.includes(undefined) ? part : tags.join(', ');
}

function shownItem(tag: string): string | undefined {
  const [, index, text] = /^\d+=[^=]*=(\d+)=([^=]*)$/.exec(tag) ?? [];
  if (index === undefined || text === undefined) return undefined;
  try {
    const item = clean(decodeURIComponent(text)).replace(/\s+/g, ' ').trim();
    if (item === '') return `item ${index}`;
    // An item of this length may have been cut, and others may begin in the same way.
    return [...item].length < TAG_LENGTH ? item : `${item}… (${index})`;
  } catch {
    return undefined;
  }
}

/** `+main+each^sub+for-0=region=1=south+load` → `+main+each[south]+load` */
export function shownTask(task: string): string {
  return nameParts(task)
    .map((part) => {
      const shown = shownPart(part);
      return shown === part ? part : `[${shown}]`;
    })
    .join('');
}

/** `+main+each^sub+for-0=region=1=south` → `south` */
export function lastName(task: string): string {
  return shownPart(nameParts(task).at(-1) ?? task);
}
