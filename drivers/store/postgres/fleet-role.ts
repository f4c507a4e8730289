/**
 * What the backend's role may do to the fleet database: insert and read, and change the few tables that hold the
 * present. Everything else is history. Two walls stand before it: the role has no right to update, delete or truncate
 * there, and a trigger refuses it to everybody, the owner included, who must take the trigger away first.
 *
 * Limits: triggers for each statement are PostgreSQL's and YugabyteDB's; CockroachDB has the first wall alone.
 */
import { Fault, isFault } from '../../../runtime/core/faults.ts';
import { type Database, type DatabaseOptions, openDatabase, type PostgresOptions } from './database.ts';
import { fleetMigrations } from './fleet-migrations.ts';
import { ensureSchema } from './migration.ts';
import type { Session } from './session.ts';

/** Tables that hold the present, with what is done to their rows besides inserting. */
const CHANGING: Readonly<Record<string, string>> = {
  operation: 'update, delete',
  ticket_quota: 'update',
  nest_claim: 'update',
  controller: 'update',
  log_head: 'update',
  operator_key: 'update, delete',
  // A projection of records and of what the gateways issued: a certificate first heard of from a gateway gets its record.
  unit_certificate: 'update',
};
/** Of the schema, not of the fleet: the owner's. */
const OWNERS = ['holdfast_migration', 'holdfast_migration_lock'];

/** A name that needs no quotes; roles with others are not for programs. */
const ROLE = /^[a-z_][a-z0-9_]{0,62}$/;

const TABLES = {
  text: `select tablename as name from pg_catalog.pg_tables where schemaname = current_schema() order by tablename`,
};

const WALL = `create or replace function holdfast_only_inserted() returns trigger language plpgsql as $wall$
  begin
    raise exception 'rows of % are only ever inserted', tg_table_name using errcode = 'restrict_violation';
  end $wall$`;

/**
 * Migrates the schema as its owner, builds both walls, and gives `role` what a backend needs. May be run again.
 * @throws Fault STORE_UNAVAILABLE, STORE_UNSAFE, STORE_SCHEMA where there is no such role
 */
export async function prepareFleetDatabase(options: PostgresOptions, role: string): Promise<void> {
  if (!ROLE.test(role))
    throw new Fault('STORE_SCHEMA', { role, why: 'letters, digits and underscores alone' });
  const own: DatabaseOptions = {
    ...{ ...options, applicationName: 'holdfast migration', unavailableCode: 'STORE_UNAVAILABLE' },
  };
  const database = await openDatabase(own);
  try {
    await ensureSchema(database, own, fleetMigrations);
    await database.transaction((session) => build(session, role));
  } finally {
    await database.close();
  }
}

async function build(session: Session, role: string): Promise<void> {
  const run = (text: string, values?: readonly unknown[]) => session.count({ text }, values);
  const [known] = await session.rows<{ super: boolean }>(
    { text: 'select rolsuper as super from pg_catalog.pg_roles where rolname = $1' },
    [role],
  );
  if (known === undefined || known.super)
    throw new Fault('STORE_SCHEMA', { role, why: known === undefined ? 'no such role' : 'a superuser' });
  await run(WALL);
  for (const { name } of await session.rows<{ name: string }>(TABLES)) {
    const table = `"${name}"`;
    await run(`revoke all on ${table} from ${role}`);
    if (OWNERS.includes(name)) await run(`grant select on ${table} to ${role}`);
    else if (CHANGING[name] !== undefined)
      await run(`grant select, insert, ${CHANGING[name]} on ${table} to ${role}`);
    else {
      await run(`grant select, insert on ${table} to ${role}`);
      await run(`create or replace trigger only_inserted before update or delete or truncate on ${table}
        for each statement execute function holdfast_only_inserted()`);
    }
  }
}

/** @throws Fault STORE_UNSAFE when the role of this connection may change history */
export async function demandRestricted(database: Database): Promise<void> {
  const changing = [...Object.keys(CHANGING), ...OWNERS].map((name) => `'${name}'`).join(', ');
  const rows = await database.single<{ name: string; role: string }>({
    text: `select c.relname as name, current_user as role
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = current_schema() and c.relkind in ('r', 'p') and c.relname not in (${changing})
        and (has_table_privilege(c.oid, 'UPDATE') or has_table_privilege(c.oid, 'DELETE')
          or has_table_privilege(c.oid, 'TRUNCATE'))
      order by c.relname`,
  });
  const [first] = rows;
  if (first !== undefined)
    throw new Fault('STORE_UNSAFE', {
      setting: 'role',
      value: first.role,
      wanted: `a role that cannot change ${first.name}, as holdfast fleet migrate makes it`,
    });
}

/** What a role without the right to it is told: the owner must do it. */
export function asSchemaFault(error: unknown): unknown {
  if (!isFault(error) || error.context.sqlState !== INSUFFICIENT_PRIVILEGE) return error;
  const why = 'its owner must migrate it first: holdfast fleet migrate';
  return new Fault('STORE_SCHEMA', { why }, { cause: error });
}

/** PostgreSQL appendix A. */
const INSUFFICIENT_PRIVILEGE = '42501';
