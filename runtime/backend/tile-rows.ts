/**
 * Tiles of the log for its readers. Each is written in the transaction that fills it, and never again: what stands at
 * the right edge is computed from leaves by whoever reads, so no row is rewritten. The bundle under a tile is not
 * written at all: it is 256 rows of `log_leaf`, and a second copy could only differ.
 */
import { fullTile, fullTiles, type TileRow } from '../core/log/tile.ts';
import type { MerkleTree } from '../core/log/tree.ts';
import type { FleetStore } from '../core/store/fleet.ts';

/** Two megabytes at a time. */
const TILES_PER_TRANSACTION = 256;

/** Writes the tiles that are not there: a backend of before tiles left none. Under the lock of the head, so that two
 * backends do not do it at a time. @throws Fault STORE_UNAVAILABLE */
export async function completeTiles(store: FleetStore, tree: MerkleTree, size: number): Promise<void> {
  for (let level = 0; fullTiles(level, size) > 0; level++)
    while ((await completeSome(store, tree, level, fullTiles(level, size))) > 0);
}

/** @returns how many are still missing */
function completeSome(store: FleetStore, tree: MerkleTree, level: number, wanted: number): Promise<number> {
  return store.transaction(async (tx) => {
    await tx.lockHead();
    const present = await tx.countTiles(level);
    const end = Math.min(wanted, present + TILES_PER_TRANSACTION);
    const rows: TileRow[] = [];
    for (let index = present; index < end; index++) rows.push(fullTile(tree, level, index));
    await tx.insertTiles(rows);
    return Math.max(0, wanted - end);
  });
}
