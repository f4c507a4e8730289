/** A table as its rows see it: which statements follow from the names and types of its columns. */
import type { Statement } from './session.ts';

export type ColumnType = 'text' | 'bigint' | 'bytea';

export interface Table<Row> {
  readonly name: string;
  /** In snake case these are the names of the columns. */
  readonly columns: { readonly [Field in keyof Row]: ColumnType };
}

/** Every column under the name of its field: `"se_fingerprint" as "seFingerprint"`. */
export function fieldsOf<Row>(table: Table<Row>): string {
  return Object.keys(table.columns)
    .map((field) => `${columnOf(field)} as "${field}"`)
    .join(', ');
}

/** `"operation", "se_fingerprint"`. */
export function columnsOf<Row>(table: Table<Row>): string {
  return Object.keys(table.columns).map(columnOf).join(', ');
}

/** Inserts any number of rows in one round trip; its text does not depend on their number. */
export function insertInto<Row>(table: Table<Row>): Statement {
  const columns = Object.entries<ColumnType>(table.columns);
  const arrays = columns.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ');
  return {
    name: `insert ${table.name}`,
    text: `insert into ${table.name} (${columnsOf(table)}) select * from unnest(${arrays})`,
  };
}

/** `new."operation", new."se_fingerprint"`. */
export function newOf<Row>(table: Table<Row>): string {
  return Object.keys(table.columns)
    .map((field) => `new.${columnOf(field)}`)
    .join(', ');
}

/** `unnest($1::text[]) as "operation", unnest($2::bigint[]) as "epoch"`: the rows of `arraysOf`. */
export function unnested<Row>(table: Table<Row>): string {
  return Object.entries<ColumnType>(table.columns)
    .map(([field, type], i) => `unnest($${i + 1}::${type}[]) as ${columnOf(field)}`)
    .join(', ');
}

/** One array per column, in the order of `insertInto`. */
export function arraysOf<Row>(table: Table<Row>, rows: readonly Row[]): unknown[][] {
  return fieldNames(table).map((field) => rows.map((row) => row[field]));
}

/** The values of one row, in the same order. */
export function valuesOf<Row>(table: Table<Row>, row: Row): unknown[] {
  return fieldNames(table).map((field) => row[field]);
}

function fieldNames<Row>(table: Table<Row>): (keyof Row)[] {
  return Object.keys(table.columns) as (keyof Row)[];
}

function columnOf(field: string): string {
  return `"${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"`;
}
