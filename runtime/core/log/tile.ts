/**
 * The fleet log as tiles 256 hashes wide, and bundles of the 256 entries under each of the lowest: what readers copy
 * and recompute without our software. A tile that is full never changes.
 *
 * @see https://c2sp.org/tlog-tiles
 */
import { type Bytes, bigEndian, concat } from '../bytes.ts';
import { HASH_BYTES, type MerkleTree } from './tree.ts';

/** Hashes in a full tile, entries in a full bundle. */
export const TILE_WIDTH = 256;
/** Levels of the tree in a tile: 256 is 2 to the eighth. */
const TILE_HEIGHT = 8;
const LENGTH_BYTES = 2;
/** Longest entry in bytes: its length is written in two. */
export const ENTRY_BYTES_MAX = 65_535;

/** Its place among all tiles; `width` 256 for a full one. Level 0 has the hashes of the leaves. */
export interface TilePlace {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** A tile as it is stored, which is when it is full. */
export interface TileRow {
  readonly level: number;
  readonly index: number;
  /** Of the subtree that it is, which is its hash in the tile above. */
  readonly root: Bytes;
  /** 256 of them, 32 bytes each. */
  readonly hashes: Bytes;
}

/** `tile/0/x001/x234/067`, a partial one `tile/0/x001/x234/067.p/17`. */
export function tilePath({ level, index, width }: TilePlace): string {
  return `tile/${level}/${numberPath(index)}${partOf(width)}`;
}

/** `tile/entries/000.p/7`. */
export function bundlePath({ index, width }: Omit<TilePlace, 'level'>): string {
  return `tile/entries/${numberPath(index)}${partOf(width)}`;
}

/** How many tiles of this level are full in a tree of this size. */
export function fullTiles(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** (level + 1));
}

/** Width of the partial tile at the right edge of this level; 0 where there is none. */
export function partialWidth(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
}

/** Levels that a tree of this size has tiles on. */
export function tileLevels(size: number): number {
  let levels = 0;
  while (Math.floor(size / TILE_WIDTH ** levels) > 0) levels += 1;
  return levels;
}

/** The full tiles that a tree has gained between two sizes. */
export function gainedTiles(tree: MerkleTree, before: number, after: number): readonly TileRow[] {
  const gained: TileRow[] = [];
  for (let level = 0; fullTiles(level, after) > 0; level++)
    for (let index = fullTiles(level, before); index < fullTiles(level, after); index++)
      gained.push(fullTile(tree, level, index));
  return gained;
}

/** A full tile as it is stored. @throws RangeError unless the tree has all of it */
export function fullTile(tree: MerkleTree, level: number, index: number): TileRow {
  const root = tree.node((level + 1) * TILE_HEIGHT, index);
  return { level, index, root, hashes: tileHashes(tree, { level, index, width: TILE_WIDTH }) };
}

/** The hashes of a tile, one after the other. @throws RangeError unless the tree has all of them */
export function tileHashes(tree: MerkleTree, { level, index, width }: TilePlace): Bytes {
  const first = index * TILE_WIDTH;
  return concat(...Array.from({ length: width }, (_, i) => tree.node(level * TILE_HEIGHT, first + i)));
}

/** The hash that stands for perfect subtrees side by side, `hashes.length` a power of two. */
export function rootOver(hashes: readonly Bytes[], nodeHash: (left: Bytes, right: Bytes) => Bytes): Bytes {
  let row = hashes;
  while (row.length > 1) {
    const above: Bytes[] = [];
    for (let i = 0; i + 1 < row.length; i += 2)
      above.push(nodeHash(row[i] ?? new Uint8Array(0), row[i + 1] ?? new Uint8Array(0)));
    row = above;
  }
  const [root] = row;
  if (root === undefined) throw new RangeError('no hashes');
  return root;
}

/** Null unless the bytes are as many hashes as the tile is wide. */
export function hashesIn(tile: Bytes, width: number): readonly Bytes[] | null {
  if (tile.length !== width * HASH_BYTES) return null;
  return Array.from({ length: width }, (_, i) => tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

/** Each entry behind its length, two bytes big endian. @throws RangeError for an entry of more than 65,535 bytes */
export function bundleOf(entries: readonly Bytes[]): Bytes {
  for (const { length } of entries)
    if (length > ENTRY_BYTES_MAX) throw new RangeError(`an entry of ${length} bytes`);
  return concat(...entries.flatMap((entry) => [bigEndian(entry.length, LENGTH_BYTES), entry]));
}

/** The entries of a bundle; null when a length is wrong. */
export function entriesIn(bundle: Bytes): readonly Bytes[] | null {
  const entries: Bytes[] = [];
  for (let at = 0; at < bundle.length; ) {
    const start = at + LENGTH_BYTES;
    if (start > bundle.length) return null;
    const end = start + (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0);
    if (end > bundle.length) return null;
    entries.push(bundle.subarray(start, end));
    at = end;
  }
  return entries;
}

/** Groups of three digits, all but the last with an x: 1234067 is `x001/x234/067`. */
function numberPath(index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g) ?? [];
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
}

function partOf(width: number): string {
  return width === TILE_WIDTH ? '' : `.p/${width}`;
}
