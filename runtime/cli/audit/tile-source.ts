/** Tiles of the log as the fleet database has them: full ones as they are stored, the right edge from its leaves. */
import type { Bytes } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { fullTiles, hashesIn, partialWidth, TILE_WIDTH } from '../../core/log/tile.ts';
import { foldRange, hashOfSpan, inclusionRanges, spanOf, subtreesOf } from '../../core/log/tile-proof.ts';
import type { Crypto } from '../../core/ports.ts';
import type { FleetView } from '../means.ts';

export interface TileSource {
  /** As many hashes as the tile is wide in a log of this size. @throws Fault LOG_FORKED for one that is missing */
  hashes(level: number, index: number): Promise<readonly Bytes[]>;
  /** Of the first leaves. */
  root(size: number): Promise<Bytes>;
  /** The leaf's sibling first. @throws RangeError when index >= size */
  inclusionProof(index: number, size: number): Promise<readonly Bytes[]>;
}

/** Tiles that are kept: those of one proof in a log of any size, not those of a whole export. */
const KEPT_MAX = 64;

/** @param size of the log, at least that of everything asked for */
export function createTileSource(view: FleetView, size: number, { sha256 }: Crypto): TileSource {
  const kept = new Map<string, readonly Bytes[]>();
  const read = async (level: number, index: number): Promise<readonly Bytes[]> => {
    if (index < fullTiles(level, size)) {
      const [row] = await view.tiles(level, index, 1);
      const hashes = row === undefined ? null : hashesIn(row.hashes, TILE_WIDTH);
      return hashes ?? missing(level, index);
    }
    const width = partialWidth(level, size);
    const first = index * TILE_WIDTH;
    if (level > 0) {
      const below = await view.tileRoots(level - 1, first, width);
      return below.length === width ? below : missing(level, index);
    }
    const leaves = await view.leaves(first, width);
    return leaves.length === width ? leaves.map(({ hash }) => hash) : missing(level, index);
  };
  const range = async (start: number, end: number): Promise<Bytes> => {
    const hashes: Bytes[] = [];
    for (const subtree of subtreesOf(start, end)) {
      const span = spanOf(subtree);
      hashes.push(hashOfSpan(span, await source.hashes(span.level, span.tile), sha256));
    }
    return foldRange(hashes, sha256);
  };
  const source: TileSource = {
    hashes: async (level, index) => {
      const name = `${level}/${index}`;
      const known = kept.get(name);
      if (known !== undefined) return known;
      const hashes = await read(level, index);
      const [oldest] = kept.keys();
      if (kept.size >= KEPT_MAX && oldest !== undefined) kept.delete(oldest);
      kept.set(name, hashes);
      return hashes;
    },
    root: (of) => range(0, of),
    inclusionProof: async (index, of) => {
      const proof: Bytes[] = [];
      for (const [start, end] of inclusionRanges(index, of)) proof.push(await range(start, end));
      return proof;
    },
  };
  return source;
}

function missing(level: number, index: number): never {
  throw new Fault('LOG_FORKED', { level, tile: index, why: 'the database lacks a tile of the log' });
}
