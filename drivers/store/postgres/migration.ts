/**
 * Brings a database to the schema of this program: numbered migrations, each applied once, in order, under
 * the lock of one row. What was applied must be what this program would have applied.
 */
import { createHash } from 'node:crypto';
import { Fault } from '../../../runtime/core/faults.ts';
import { type Database, type DatabaseOptions, openDatabase } from './database.ts';
import type { Session } from './session.ts';

export interface Migration {
  /** From 1, without gaps. A released migration never changes. */
  readonly id: number;
  readonly title: string;
  /** Each may be run again: YugabyteDB commits DDL statement by statement. */
  readonly statements: readonly string[];
}

interface AppliedRow {
  readonly id: number;
  readonly sha256: string;
}

/** Building an index takes longer than any statement of daily work. */
const MIGRATION_TIMEOUT_MS = 600_000;

/**
 * Reads only, when nothing is missing.
 * @throws Fault STORE_SCHEMA when the database was migrated by another or a newer program
 */
export async function ensureSchema(
  database: Database,
  options: DatabaseOptions,
  migrations: readonly Migration[],
): Promise<void> {
  const [table] = await database.single<{ present: boolean }>({
    text: `select to_regclass('holdfast_migration') is not null as present`,
  });
  const applied = table?.present === true ? await database.single<AppliedRow>(APPLIED) : [];
  verify(applied, migrations);
  if (applied.length === migrations.length) return;
  const patient = await openDatabase({ ...options, statementTimeoutMs: MIGRATION_TIMEOUT_MS, poolMax: 1 });
  try {
    await patient.transaction((session) => migrate(session, migrations));
  } finally {
    await patient.close();
  }
}

const APPLIED = { text: 'select id, sha256 from holdfast_migration order by id' };

async function migrate(session: Session, migrations: readonly Migration[]): Promise<void> {
  const run = (text: string, values?: readonly unknown[]) => session.count({ text }, values);
  await run(`create table if not exists holdfast_migration (
    id bigint primary key, title text not null, sha256 text not null,
    applied_at timestamptz not null default current_timestamp)`);
  await run('create table if not exists holdfast_migration_lock (id bigint primary key)');
  await run('insert into holdfast_migration_lock (id) values (1) on conflict (id) do nothing');
  await run('select id from holdfast_migration_lock where id = 1 for update');
  const applied = await session.rows<AppliedRow>(APPLIED);
  verify(applied, migrations);
  for (const migration of migrations.slice(applied.length)) {
    for (const statement of migration.statements) await run(statement);
    const row = [migration.id, migration.title, sha256Of(migration)];
    await run('insert into holdfast_migration (id, title, sha256) values ($1, $2, $3)', row);
  }
}

/** @throws Fault STORE_SCHEMA */
export function verify(applied: readonly AppliedRow[], migrations: readonly Migration[]): void {
  applied.forEach((row, i) => {
    const own = migrations[i];
    const why =
      row.id !== i + 1
        ? 'a migration is missing before it'
        : own === undefined
          ? 'newer than this program'
          : row.sha256 !== sha256Of(own)
            ? 'another content'
            : null;
    if (why !== null) throw new Fault('STORE_SCHEMA', { migration: row.id, why });
  });
}

/** Over the statements alone: a title may be worded better. Hexadecimal. */
function sha256Of(migration: Migration): string {
  return createHash('sha256').update(migration.statements.join(';\n')).digest('hex');
}
