/**
 * What a server must be before anything is entrusted to it: asked on every new connection, since the next
 * one may lead to a restarted server or to another.
 *
 * @see PostgreSQL 15 sections 20.5.1 and 20.19
 */
import { Fault } from '../../../runtime/core/faults.ts';

/** 15.0, as server_version_num. */
const VERSION_MIN = 150_000;

/** Settings that must not be `on`: nothing can be written. */
const MUST_NOT_BE_ON = ['in_hot_standby', 'transaction_read_only'] as const;

/** Settings that must not be `off`: without them an acknowledged commit can be lost. */
const MUST_NOT_BE_OFF = ['fsync', 'full_page_writes', 'synchronous_commit'] as const;

/** CockroachDB has none of these settings; what is missing there answers null. */
export const SAFETY_QUERY = `select version() as version,
  current_setting('server_version_num', true) as "versionNumber",
  current_setting('fsync', true) as fsync,
  current_setting('full_page_writes', true) as full_page_writes,
  current_setting('synchronous_commit', true) as synchronous_commit,
  current_setting('data_checksums', true) as data_checksums,
  current_setting('in_hot_standby', true) as in_hot_standby,
  current_setting('transaction_read_only', true) as transaction_read_only`;

export interface SafetyRow {
  readonly version: string;
  readonly versionNumber: string | null;
  readonly fsync: string | null;
  readonly full_page_writes: string | null;
  readonly synchronous_commit: string | null;
  readonly data_checksums: string | null;
  /** `on` while the server is in recovery: a standby. */
  readonly in_hot_standby: string | null;
  readonly transaction_read_only: string | null;
}

/** Returns the settings that are worth a warning: damage by the disk would go unnoticed.
 * @throws Fault STORE_UNSAFE naming the setting */
export function assertSafe(row: SafetyRow): readonly string[] {
  for (const setting of MUST_NOT_BE_ON)
    if (row[setting] === 'on') throw new Fault('STORE_UNSAFE', { setting, value: 'on', wanted: 'off' });
  if (!row.version.startsWith('PostgreSQL ')) return [];
  if (!(Number(row.versionNumber) >= VERSION_MIN))
    throw new Fault('STORE_UNSAFE', {
      setting: 'server_version_num',
      value: row.versionNumber,
      wanted: '15',
    });
  for (const setting of MUST_NOT_BE_OFF)
    if (row[setting] === null || row[setting] === 'off')
      throw new Fault('STORE_UNSAFE', { setting, value: row[setting], wanted: 'on' });
  return row.data_checksums === 'on' ? [] : ['data_checksums'];
}
