/** Tables of the simulated stores: unique keys, ordered groups, and every change undone on request. */
import type { Bytes } from '../../runtime/core/bytes.ts';

/** Undoes changes in the reverse of their order. */
export type Undo = (() => void)[];

/** A row with the same value of this unique key is there already. */
export class UniqueKeyTaken extends Error {
  override readonly name = 'UniqueKeyTaken';
  readonly key: string;
  constructor(key: string) {
    super(`unique key taken: ${key}`);
    this.key = key;
  }
}

type KeyPart = string | number | Bytes;

export interface TableDefinition<Row, Key extends string> {
  /** Named as the constraints of the real database; the first is the primary key. Null: no value to be unique. */
  readonly unique: Readonly<Record<Key, (row: Row) => readonly KeyPart[] | null>>;
  /** Rows that are read together. */
  readonly group: (row: Row) => string;
  readonly order: (a: Row, b: Row) => number;
}

export interface MemoryTable<Row, Key extends string> {
  /** @throws UniqueKeyTaken */
  insert(row: Row, undo: Undo): void;
  /** @throws UniqueKeyTaken */
  replace(old: Row, row: Row, undo: Undo): void;
  /** @throws RangeError when there is no such row */
  remove(row: Row, undo: Undo): void;
  find(key: Key, ...value: readonly KeyPart[]): Row | null;
  /** The rows of a group in their order, or a slice of them as `Array.slice` counts. */
  group(name: string, start?: number, end?: number): readonly Row[];
  /** Every row, in no order that means anything. */
  all(): readonly Row[];
  /** Forgets all rows and takes these. */
  load(rows: readonly Row[]): void;
}

/** The rows that it gives out and takes in are copies: nobody changes what is stored. */
export function createTable<Row extends object, Key extends string>(
  definition: TableDefinition<Row, Key>,
): MemoryTable<Row, Key> {
  const keys = Object.entries<(row: Row) => readonly KeyPart[] | null>(definition.unique);
  const indices = new Map(keys.map(([name]) => [name, new Map<string, Row>()]));
  const groups = new Map<string, Row[]>();

  const put = (row: Row): void => {
    for (const [name, of] of keys) {
      const value = of(row);
      if (value !== null && indices.get(name)?.has(joined(value))) throw new UniqueKeyTaken(name);
    }
    for (const [name, of] of keys) {
      const value = of(row);
      if (value !== null) indices.get(name)?.set(joined(value), row);
    }
    const name = definition.group(row);
    const group = groups.get(name) ?? [];
    group.splice(placeOf(row, group, definition.order), 0, row);
    groups.set(name, group);
  };
  const take = (row: Row): void => {
    for (const [name, of] of keys) {
      const value = of(row);
      if (value !== null) indices.get(name)?.delete(joined(value));
    }
    const group = groups.get(definition.group(row)) ?? [];
    group.splice(group.lastIndexOf(row), 1);
  };
  const stored = (row: Row): Row => {
    const [primary] = keys;
    const present = primary && indices.get(primary[0])?.get(joined(primary[1](row) ?? []));
    if (present === undefined) throw new RangeError('there is no such row');
    return present;
  };
  return {
    insert: (row, undo) => {
      const own = copyOf(row);
      put(own);
      undo.push(() => take(own));
    },
    replace: (old, row, undo) => {
      const present = stored(old);
      const own = copyOf(row);
      take(present);
      undo.push(() => put(present));
      put(own);
      undo.push(() => take(own));
    },
    remove: (row, undo) => {
      const present = stored(row);
      take(present);
      undo.push(() => put(present));
    },
    find: (key, ...value) => {
      const row = indices.get(key)?.get(joined(value));
      return row === undefined ? null : copyOf(row);
    },
    group: (name, start, end) => (groups.get(name) ?? []).slice(start, end).map(copyOf),
    all: () => [...groups.values()].flat().map(copyOf),
    load: (rows) => {
      for (const index of indices.values()) index.clear();
      groups.clear();
      for (const row of rows) put(copyOf(row));
    },
  };
}

/** Copies all rows; the returned function brings them back. */
export function backupOf(tables: readonly object[]): () => void {
  const copies = (tables as readonly MemoryTable<object, string>[]).map(
    (table) => [table, table.all()] as const,
  );
  return () => {
    for (const [table, rows] of copies) table.load(rows);
  };
}

/** Behind every row that is not greater; most rows come in order, so it looks from the end. */
function placeOf<Row>(row: Row, rows: readonly Row[], order: (a: Row, b: Row) => number): number {
  let at = rows.length;
  for (; at > 0; at--) {
    const before = rows[at - 1];
    if (before === undefined || order(before, row) <= 0) break;
  }
  return at;
}

function joined(parts: readonly KeyPart[]): string {
  return parts.map((part) => (typeof part === 'object' ? part.join(',') : String(part))).join('\u0000');
}

function copyOf<Row extends object>(row: Row): Row {
  const copy: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(row))
    copy[field] = value instanceof Uint8Array ? Uint8Array.from(value) : value;
  return copy as Row;
}
