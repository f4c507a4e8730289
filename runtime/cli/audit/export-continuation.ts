/** That an export of the log contains what was known of the log before: neither rolled back nor forked. */
import { type Bytes, equal } from '../../core/bytes.ts';
import { openCheckpoint } from '../../core/log/checkpoint.ts';
import { type NoteKey, noteIn } from '../../core/log/note.ts';
import { bundlePath, entriesIn, TILE_WIDTH } from '../../core/log/tile.ts';
import { leafHash, type MerkleTree } from '../../core/log/tree.ts';
import type { Crypto } from '../../core/ports.ts';
import type { ExportProblem, Known } from './export-check.ts';

/** The first of the known that the tree does not contain; null when it contains all. */
export async function continuationOf(
  tree: MerkleTree,
  known: readonly Known[],
  logKey: NoteKey,
  crypto: Crypto,
): Promise<ExportProblem | null> {
  for (const one of known) {
    const checkpoint = openCheckpoint(noteIn(one.checkpoint), logKey, crypto);
    if (checkpoint === null)
      return { where: one.name, why: `it is not signed by the log key of ${logKey.name}`, kind: 'damaged' };
    const { size, root } = checkpoint;
    if (size > tree.size)
      return {
        where: `leaf ${tree.size}`,
        why: `the log was rolled back: ${one.name} has a signed checkpoint of ${size} leaves`,
        kind: 'rolled-back',
      };
    if (equal(tree.root(size), root)) continue;
    const first = await firstOther(tree, size, one, crypto);
    return {
      where: first === null ? `leaves 0 to ${size - 1}` : `leaf ${first}`,
      why: `the log was forked: ${one.name} has a signed checkpoint of another history`,
      kind: 'forked',
    };
  }
  return null;
}

/** The first leaf that is another than in the earlier export; null where that cannot be told. */
async function firstOther(
  tree: MerkleTree,
  size: number,
  { read }: Known,
  { sha256 }: Crypto,
): Promise<number | null> {
  if (read === null) return null;
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
    const bundle = await read(bundlePath({ index, width }));
    const entries: readonly Bytes[] = (bundle === null ? null : entriesIn(bundle)) ?? [];
    for (let i = 0; i < width; i++) {
      const entry = entries[i];
      if (entry === undefined) return null;
      const leaf = index * TILE_WIDTH + i;
      if (!equal(tree.leaf(leaf), leafHash(entry, sha256))) return leaf;
    }
  }
  return null;
}
