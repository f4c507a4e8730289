/** Tiles and cosignatures of the simulated fleet store. */
import type { TileRow } from '../../runtime/core/log/tile.ts';
import type { CosignatureRow, LogVerbs } from '../../runtime/core/store/log.ts';
import type { Verb } from './in-memory-engine.ts';
import { createTable } from './in-memory-table.ts';

export type LogTables = ReturnType<typeof logTables>;

export function logTables() {
  return {
    tiles: createTable({
      unique: { log_tile_level_index: (row: TileRow) => [row.level, row.index] },
      group: (row) => String(row.level),
      order: (a, b) => a.index - b.index,
    }),
    cosignatures: createTable({
      unique: { cosignature_size_witness: (row: CosignatureRow) => [row.size, row.witness] },
      group: () => '',
      order: (a, b) => a.size - b.size || (a.witness < b.witness ? -1 : 1),
    }),
  };
}

export function logVerbs(verb: Verb, { tiles, cosignatures }: LogTables): LogVerbs {
  return {
    insertTiles: (rows) =>
      verb((undo) => {
        for (const row of rows) tiles.insert(row, undo);
      }),
    tiles: (level, from, limit) =>
      verb(() => tiles.group(String(level)).filter(({ index }) => index >= from && index < from + limit)),
    tileRoots: (level, from, limit) =>
      verb(() =>
        tiles
          .group(String(level))
          .filter(({ index }) => index >= from && index < from + limit)
          .map(({ root }) => root),
      ),
    countTiles: (level) => verb(() => tiles.group(String(level)).length),
    insertCosignatures: (rows) =>
      verb((undo) => {
        for (const row of rows)
          if (cosignatures.find('cosignature_size_witness', row.size, row.witness) === null)
            cosignatures.insert(row, undo);
      }),
    cosignatures: (sizeMin, limit) =>
      verb(() =>
        cosignatures
          .group('')
          .filter(({ size }) => size >= sizeMin)
          .slice(0, limit),
      ),
    cosignedSize: (witness) =>
      verb(() =>
        Math.max(
          0,
          ...cosignatures
            .group('')
            .filter((row) => row.witness === witness)
            .map(({ size }) => size),
        ),
      ),
  };
}
