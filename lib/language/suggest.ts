/** The candidates nearest to a word, best first, as digdag's EditDistance: at most half of a candidate's letters differ. */
export function nearest(word: string, candidates: Iterable<string>, ratio = 0.5): string[] {
  const lower = word.toLowerCase();
  const scored: { candidate: string; distance: number }[] = [];
  for (const candidate of candidates) {
    const limit = Math.floor(candidate.length * ratio);
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance <= limit && distance < candidate.length) scored.push({ candidate, distance });
  }
  return scored.sort((a, b) => a.distance - b.distance).map(({ candidate }) => candidate);
}

/** "Did you mean …?" as a note, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>, ratio = 0.5): string | undefined {
  if (word.length > 64) return undefined;
  const [best] = nearest(word, candidates, ratio);
  return best === undefined ? undefined : `Did you mean '${best}'?`;
}

/** Levenshtein distance, a swap of neighbours counting as one. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      next.push(best);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
