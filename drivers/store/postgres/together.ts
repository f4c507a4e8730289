/** Rows by one key each: those that are asked for in one turn of the program share a statement and its flight. */
import type { Session, Statement } from './session.ts';

/** How a row is found by a key of one or two values. */
export interface Finding<Row> {
  /** One row; the values of its key are the parameters. */
  readonly one: Statement;
  /** Those of many keys; each parameter is an array with one value of every key. */
  readonly many: Statement;
  readonly keyOf: (row: Row) => readonly (string | number)[];
}

type Key = readonly (string | number)[];

interface Asked<Row> {
  readonly key: Key;
  readonly resolve: (row: Row | null) => void;
  readonly reject: (error: unknown) => void;
}

/** Keys asked for in one turn are asked in one statement, each once. */
export function together<Row>(session: Session, finding: Finding<Row>): (...key: Key) => Promise<Row | null> {
  let waiting: Asked<Row>[] = [];
  const flush = async (): Promise<void> => {
    const asked = waiting;
    waiting = [];
    try {
      const found = await rowsOf(session, finding, asked);
      for (const { key, resolve } of asked) resolve(found.get(key.join('\u0000')) ?? null);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  };
  return (...key) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ key, resolve, reject }) === 1) queueMicrotask(() => void flush());
    });
}

async function rowsOf<Row>(
  session: Session,
  { one, many, keyOf }: Finding<Row>,
  asked: readonly Asked<Row>[],
): Promise<ReadonlyMap<string, Row>> {
  const keys = [...new Map(asked.map(({ key }) => [key.join('\u0000'), key])).values()];
  const [first = []] = keys;
  const rows =
    keys.length === 1
      ? await session.rows<Row>(one, first)
      : await session.rows<Row>(
          many,
          first.map((_, i) => keys.map((key) => key[i])),
        );
  return new Map(rows.map((row) => [keyOf(row).join('\u0000'), row]));
}
