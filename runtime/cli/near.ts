/** Names that a person may have meant. */

/** Most letters that may be wrong, as a part of the word's length. */
const WRONG_PART = 0.4;
const SHOWN_MAX = 3;

/** The likeliest first; words that begin as typed or contain it count as near. */
export function nearOf(typed: string, names: readonly string[]): readonly string[] {
  const word = typed.toLowerCase();
  const scored = names.flatMap((name) => {
    const known = name.toLowerCase();
    const distance = known.includes(word) && word.length >= 3 ? 0.5 : editDistance(word, known);
    return distance <= Math.max(1, word.length * WRONG_PART) ? [{ name, distance }] : [];
  });
  return scored
    .sort((a, b) => a.distance - b.distance)
    .slice(0, SHOWN_MAX)
    .map(({ name }) => name);
}

/** `; did you mean A or B?`, or nothing. */
export function didYouMean(typed: string, names: readonly string[]): string {
  const near = nearOf(typed, names);
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
}

/** Levenshtein: insertions, deletions and exchanges from one word to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const exchanged = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(exchanged, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
