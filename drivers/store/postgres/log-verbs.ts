/** Tiles and cosignatures of the log in the fleet database. */
import type { TileRow } from '../../../runtime/core/log/tile.ts';
import type { CosignatureRow, LogVerbs } from '../../../runtime/core/store/log.ts';
import type { Session } from './session.ts';
import { arraysOf, fieldsOf, insertInto, type Table } from './table.ts';

const tiles: Table<TileRow> = {
  name: 'log_tile',
  columns: { level: 'bigint', index: 'bigint', root: 'bytea', hashes: 'bytea' },
};

const cosignatures: Table<CosignatureRow> = {
  name: 'cosignature',
  columns: { size: 'bigint', witness: 'text', cosignedAt: 'bigint', line: 'text', checkpoint: 'text' },
};

const insertCosignatures = insertInto(cosignatures);
const statements = {
  insertTiles: insertInto(tiles),
  tiles: {
    name: 'tiles',
    text: `select ${fieldsOf(tiles)} from log_tile
      where level = $1 and "index" >= $2 and "index" < $3 order by "index"`,
  },
  tileRoots: {
    name: 'tile roots',
    text: `select root from log_tile where level = $1 and "index" >= $2 and "index" < $3 order by "index"`,
  },
  countTiles: { name: 'count tiles', text: 'select count(*) as count from log_tile where level = $1' },
  insertCosignatures: {
    ...insertCosignatures,
    text: `${insertCosignatures.text} on conflict (size, witness) do nothing`,
  },
  cosignatures: {
    name: 'cosignatures',
    text: `select ${fieldsOf(cosignatures)} from cosignature
      where size >= $1 order by size, witness limit $2`,
  },
  cosignedSize: {
    name: 'cosigned size',
    text: 'select coalesce(max(size), 0) as size from cosignature where witness = $1',
  },
} as const;

export function logVerbs(session: Session): LogVerbs {
  return {
    insertTiles: async (rows) => {
      if (rows.length > 0) await session.count(statements.insertTiles, arraysOf(tiles, rows));
    },
    tiles: (level, from, limit) => session.rows<TileRow>(statements.tiles, [level, from, from + limit]),
    tileRoots: async (level, from, limit) =>
      (await session.rows<Pick<TileRow, 'root'>>(statements.tileRoots, [level, from, from + limit])).map(
        ({ root }) => root,
      ),
    countTiles: async (level) =>
      (await session.rows<{ count: number }>(statements.countTiles, [level]))[0]?.count ?? 0,
    insertCosignatures: async (rows) => {
      if (rows.length > 0) await session.count(statements.insertCosignatures, arraysOf(cosignatures, rows));
    },
    cosignatures: (sizeMin, limit) => session.rows<CosignatureRow>(statements.cosignatures, [sizeMin, limit]),
    cosignedSize: async (witness) =>
      (await session.rows<{ size: number }>(statements.cosignedSize, [witness]))[0]?.size ?? 0,
  };
}
