/**
 * The iterations of a loop that has many, in values of their own (lib/contract/payload.ts, `Page`). They are made one at a time: a hundred
 * thousand of them take some hundred megabytes as values.
 */

import type { LoopItem, LoopPlan, Page } from '../../contract/payload.ts';
import type { Values } from '../../contract/values.ts';
import type { Iterations } from '../../expression/items.ts';
import { isMergeable, MAP } from '../../language/value-form.ts';
import type { Mapping, Value } from '../../language/workflow.ts';

/** Bytes of a page, which a machine holds in a variable next to others. */
export const MOST_BYTES = 64 * 1024;
/** Bytes of an iteration; the larger values of a larger one become references. */
const MOST_OF_ITEM = 16 * 1024;
const MOST_OF_VALUE = 1024;

/** Pages under way to the store. */
const AT_ONCE = 16;

/** Whether the iterations fit into one page. */
export function fitsPage({ length, at }: Iterations): boolean {
  let bytes = 0;
  for (let index = 0; index < length && bytes <= MOST_BYTES; index += 1) bytes += bytesOf(at(index)) + 1;
  return bytes <= MOST_BYTES;
}

/** Writes the pages of at least one iteration; gives the reference of the one that leads to all. */
export async function writePages(
  iterations: Iterations,
  plan: LoopPlan,
  values: Pick<Values, 'write'>,
): Promise<Mapping> {
  return new Writer(iterations, plan, values).all();
}

type How = 'sequence' | 'together';

class Writer {
  readonly #iterations: Iterations;
  readonly #plan: LoopPlan;
  readonly #values: Pick<Values, 'write'>;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(iterations: Iterations, plan: LoopPlan, values: Pick<Values, 'write'>) {
    this.#iterations = iterations;
    this.#plan = plan;
    this.#values = values;
  }

  async all(): Promise<Mapping> {
    const { width } = this.#plan;
    const { length } = this.#iterations;
    return width < 0 ? this.#wave(0, length) : this.#inSequence(Math.max(1, width));
  }

  /** All of these at once. */
  async #wave(from: number, to: number): Promise<Mapping> {
    return this.#tree(await this.#slices(from, to, 1), 'together');
  }

  /** `width` at once, and then the next. A slice has whole waves, or a wave is several slices. */
  async #inSequence(width: number): Promise<Mapping> {
    const { length } = this.#iterations;
    if (width === 1 || (width <= this.#plan.size && this.#wavesFit(width)))
      return this.#tree(await this.#slices(0, length, width), 'sequence');
    const waves: Mapping[] = [];
    for (let from = 0; from < length; from += width) waves.push(await this.#wave(from, Math.min(from + width, length)));
    return this.#tree(waves, 'sequence');
  }

  #wavesFit(width: number): boolean {
    const { length, at } = this.#iterations;
    let bytes = 0;
    for (let index = 0; index < length; index += 1) {
      if (index % width === 0) bytes = 0;
      bytes += Math.min(bytesOf(at(index)), MOST_OF_ITEM) + 1;
      if (bytes > MOST_BYTES) return false;
    }
    return true;
  }

  /** Cuts a list into parts as long as possible; each but the last is a multiple of `unit`. */
  async #slices(from: number, to: number, unit: number): Promise<Mapping[]> {
    const written: Promise<Mapping>[] = [];
    let page: LoopItem[] = [];
    let bytes = 0;
    for (let first = from; first < to; first += unit) {
      const next: LoopItem[] = [];
      for (let index = first; index < Math.min(first + unit, to); index += 1)
        next.push(await this.#small(this.#iterations.at(index)));
      const more = next.reduce((sum, item) => sum + bytesOf(item) + 1, 0);
      if (page.length > 0 && (page.length + next.length > this.#plan.size || bytes + more > MOST_BYTES)) {
        await this.#turn();
        written.push(this.#write(page));
        page = [];
        bytes = 0;
      }
      page.push(...next);
      bytes += more;
    }
    if (page.length > 0) written.push(this.#write(page));
    return Promise.all(written);
  }

  #write(of: LoopItem[]): Promise<Mapping> {
    const page: Page = { how: 'items', of };
    const writing = this.#values.write(page as Value);
    const end = (): void => void this.#underWay.delete(ended);
    const ended: Promise<void> = writing.then(end, end);
    this.#underWay.add(ended);
    return writing;
  }

  async #turn(): Promise<void> {
    if (this.#underWay.size >= AT_ONCE) await Promise.race(this.#underWay);
  }

  /** Pages of pages, until one leads to all. */
  async #tree(pages: readonly Mapping[], how: How): Promise<Mapping> {
    if (pages.length === 1) return pages[0]!;
    const { fan } = this.#plan;
    if (pages.length <= fan) return this.#values.write({ how, of: [...pages] });
    const groups = Math.ceil(pages.length / fan);
    const length = Math.ceil(pages.length / groups);
    const above: Mapping[] = [];
    for (let from = 0; from < pages.length; from += length) {
      above.push(await this.#tree(pages.slice(from, from + length), how));
    }
    return this.#tree(above, how);
  }

  async #small(item: LoopItem): Promise<LoopItem> {
    if (bytesOf(item) <= MOST_OF_ITEM) return item;
    const x: Mapping = {};
    for (const [key, value] of Object.entries(item.x)) {
      const large = bytesOf(value) > MOST_OF_VALUE;
      const kept = large ? keptBy(value, await this.#values.write(value)) : value;
      Object.defineProperty(x, key, { value: kept, writable: true, enumerable: true, configurable: true });
    }
    return { n: item.n, x };
  }
}

/** A mapping in parts still merges with others. */
function keptBy(value: Value, reference: Mapping): Mapping {
  return isMergeable(value) ? { [MAP]: [reference] } : reference;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
