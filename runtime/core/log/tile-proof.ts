/**
 * Roots and inclusion proofs from tiles alone: which perfect subtrees a proof is made of, and which tile has each.
 * A proof in a log of a million leaves reads a handful of tiles, not the log.
 *
 * @see RFC 6962 section 2.1 and https://c2sp.org/tlog-tiles
 */
import type { Bytes } from '../bytes.ts';
import { rootOver, TILE_WIDTH } from './tile.ts';
import { largestPowerBelow, nodeHash, type Sha256 } from './tree.ts';

/** The hash of leaves [index * 2^level, (index + 1) * 2^level). */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** Leaves [start, end) as perfect subtrees, from the left; their hashes folded from the right are its root. */
export function subtreesOf(start: number, end: number): readonly Subtree[] {
  const parts: Subtree[] = [];
  for (let at = start; at < end; ) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level += 1;
    parts.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return parts;
}

/** @param hashes of `subtreesOf` the range, in the same order */
export function foldRange(hashes: readonly Bytes[], sha256: Sha256): Bytes {
  const [last, ...before] = [...hashes].reverse();
  if (last === undefined) return sha256(new Uint8Array(0));
  return before.reduce((right, left) => nodeHash(left, right, sha256), last);
}

/** The ranges whose roots are PATH(index, D[size]), the leaf's sibling first. @throws RangeError when index >= size */
export function inclusionRanges(index: number, size: number): readonly (readonly [number, number])[] {
  if (index < 0 || index >= size) throw new RangeError('no such leaf');
  const ranges: [number, number][] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start);
    if (index < middle) {
      ranges.push([middle, end]);
      end = middle;
    } else {
      ranges.push([start, middle]);
      start = middle;
    }
  }
  return ranges.reverse();
}

/** Where a subtree's hash comes from: hashes [from, from + count) of tile row `level`, their root. */
export interface TileSpan {
  readonly level: number;
  readonly tile: number;
  readonly from: number;
  readonly count: number;
}

/** The tile under a subtree. */
export function spanOf({ level, index }: Subtree): TileSpan {
  const count = 2 ** (level % 8);
  const first = index * count;
  const tile = Math.floor(first / TILE_WIDTH);
  return { level: Math.floor(level / 8), tile, from: first - tile * TILE_WIDTH, count };
}

/** The hash of a subtree from the hashes of its tile. @throws RangeError when the tile is too narrow */
export function hashOfSpan({ from, count }: TileSpan, tile: readonly Bytes[], sha256: Sha256): Bytes {
  const hashes = tile.slice(from, from + count);
  if (hashes.length !== count) throw new RangeError('the tile is too narrow');
  return rootOver(hashes, (left, right) => nodeHash(left, right, sha256));
}
