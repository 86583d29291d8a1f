/**
 * Runs `work` for every index from 0 to `count` - 1, at most `width` at a time, each worker taking the next index when it is free. `work`
 * must not reject; once `stopped` returns true, no further index is begun.
 */
export async function pool(
  count: number,
  width: number,
  stopped: () => boolean,
  work: (index: number, worker: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (number: number) => {
    while (next < count && !stopped()) {
      const index = next;
      next += 1;
      await work(index, number);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, (_, number) => worker(number)));
}
