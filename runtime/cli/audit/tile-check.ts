/** The tiles in the fleet database against its leaves: readers copy and recompute the log from them. */
import { equal } from '../../core/bytes.ts';
import { fullTile, fullTiles, TILE_WIDTH, tilePath } from '../../core/log/tile.ts';
import type { MerkleTree } from '../../core/log/tree.ts';
import type { FleetReader } from '../means.ts';
import type { Problem } from './audit.ts';

const TILES_PER_READ = 64;

/** The first tile that is missing or made of other hashes; null when there is none. */
export async function ofTiles(fleet: FleetReader, tree: MerkleTree, size: number): Promise<Problem | null> {
  for (let level = 0; fullTiles(level, size) > 0; level++)
    for (let from = 0; from < fullTiles(level, size); from += TILES_PER_READ) {
      const count = Math.min(TILES_PER_READ, fullTiles(level, size) - from);
      const rows = await fleet.read((view) => view.tiles(level, from, count));
      for (let index = from; index < from + count; index++) {
        const where = tilePath({ level, index, width: TILE_WIDTH });
        const row = rows.find((one) => one.index === index);
        if (row === undefined) return { where, why: 'it is missing' };
        const { root, hashes } = fullTile(tree, level, index);
        if (!equal(row.hashes, hashes) || !equal(row.root, root))
          return { where, why: 'it is not made of the leaves below it' };
      }
    }
  return null;
}
