/** Gathers from outside what is left of a round: chips, both databases, journal, gate log, log, and secrets. */
import { execFile } from 'node:child_process';
import { createECDH } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { GateLine } from '../laboratory/fixture-world.ts';
import { findSecrets } from '../laboratory/secret-scan.ts';
import { filesIn, secretsOf } from '../laboratory/secrets.ts';
import type { Present } from './infeed.ts';
import { signal } from './processes.ts';
import type { ChaosStand } from './stand.ts';

export interface Evidence {
  readonly gate: readonly GateLine[];
  readonly present: Present | null;
  /** By EID. */
  readonly chips: ReadonlyMap<string, Chip>;
  readonly fleet: Fleet;
  readonly certificates: readonly {
    readonly serial: string;
    readonly eid: string;
    readonly der: string | null;
  }[];
  readonly journal: { readonly refusal: string | null; readonly entries: readonly Entry[] };
  /** What `holdfast audit verify` found; null for nothing. */
  readonly auditRefusal: string | null;
  readonly secrets: readonly string[];
}

export interface Chip {
  readonly keyVersions: readonly number[];
  readonly lifeCycle: number;
  /** All that its objects hold, hexadecimal. */
  readonly objects: string;
  /** Uncompressed points, hexadecimal. */
  readonly publicKeys: readonly string[];
}

export interface Entry {
  readonly sequence: number;
  readonly hash: string;
}

export interface Fleet {
  readonly operations: readonly { readonly operation: string; readonly eid: string }[];
  /** Operations that gave their EID and chip back. */
  readonly disowned: number;
  readonly records: readonly Recorded[];
  readonly confirmations: readonly { readonly operation: string; readonly epoch: number }[];
  readonly releases: readonly Released[];
  readonly rejections: readonly { readonly operation: string; readonly eid: string | null }[];
  readonly leaves: readonly { readonly index: number; readonly entry: string }[];
  readonly taken: number;
  readonly events: readonly Entry[];
}

export interface Recorded {
  readonly operation: string;
  readonly eid: string;
  /** Canonical JSON. */
  readonly record: string;
  readonly record_hash: string;
  readonly leaf_index: number;
}

export interface Released {
  readonly controller: string;
  readonly counter: number;
  readonly lane: string;
  readonly operation: string;
  readonly epoch: number;
  readonly arrival: number;
}

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 256 * (1 << 20);
const COMMAND_DEADLINE_MS = 60_000;

/** Every program runs while it is gathered. @throws Error when a database or a command does not answer */
export async function gather(stand: ChaosStand): Promise<Evidence> {
  const journal = await journalOf(stand);
  return {
    gate: [...stand.infeed.lines()],
    present: stand.infeed.present(),
    chips: chipsOf(stand.station.chips),
    fleet: (await answer(stand, 'fleet', FLEET)) as Fleet,
    certificates: (await answer(stand, 'ledger', LEDGER)) as Evidence['certificates'],
    journal,
    auditRefusal: await auditOf(stand),
    secrets: findSecrets(secretsOf(stand.places.root, [stand.station.name]), logsOf(stand)),
  };
}

const rows = (columns: string, table: string): string =>
  `(select coalesce(json_agg(t), '[]') from (select ${columns} from ${table}) t)`;

const FLEET = `select json_build_object(
  'operations', ${rows('operation, eid', 'operation')},
  'disowned', (select count(*) from disowned_operation),
  'records', ${rows("operation, eid, convert_from(record, 'UTF8') record, record_hash, leaf_index", 'identity_record')},
  'confirmations', ${rows('operation, epoch', 'confirmation')},
  'releases', ${rows('controller, counter, lane, operation, epoch, arrival', 'gate_release')},
  'rejections', ${rows('operation, eid', 'rejection')},
  'leaves', ${rows(`"index", convert_from(entry, 'UTF8') entry`, 'log_leaf')},
  'events', ${rows('sequence, hash', 'station_event order by sequence')},
  'taken', (select coalesce(sum(taken), 0) from ticket_quota))`;

const LEDGER = `select ${rows("serial, eid, encode(certificate, 'hex') der", 'certificate')}`;

/** Asked with PostgreSQL's own client. */
async function answer(stand: ChaosStand, database: 'fleet' | 'ledger', query: string): Promise<unknown> {
  const [program = '', ...rest] = stand.sql(database);
  const { stdout } = await run(program, [...rest, query], limits);
  return JSON.parse(stdout);
}

const limits = { maxBuffer: OUTPUT_BYTES_MAX, timeout: COMMAND_DEADLINE_MS };

function chipsOf(directory: string): ReadonlyMap<string, Chip> {
  const chips = readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as ChipFile);
  return new Map(
    chips.map(({ eid, keySets, lifeCycle, objects, pairs }) => [
      eid,
      {
        keyVersions: keySets.map(({ keyVersion }) => keyVersion),
        lifeCycle,
        objects: Object.values(objects).join(),
        publicKeys: Object.values(pairs).map(publicKeyOf),
      },
    ]),
  );
}

interface ChipFile {
  readonly eid: string;
  readonly keySets: readonly { readonly keyVersion: number }[];
  readonly lifeCycle: number;
  readonly objects: Readonly<Record<string, string>>;
  readonly pairs: Readonly<Record<string, string>>;
}

function publicKeyOf(scalar: string): string {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(scalar, 'hex');
  return pair.getPublicKey('hex');
}

/** A copy taken while the station stands still is what a kill would leave. */
async function journalOf({ parts, station, places }: ChaosStand): Promise<Evidence['journal']> {
  const copy = join(places.root, 'copy', 'journal');
  rmSync(copy, { recursive: true, force: true });
  const pid = parts.station.pid();
  signal(pid, 'SIGSTOP');
  try {
    cpSync(station.journal, copy, { recursive: true });
  } finally {
    signal(pid, 'SIGCONT');
  }
  const refusal = await holdfast(['journal', '--dir', copy, '--verify']);
  if (refusal.refusal !== null) return { refusal: refusal.refusal, entries: [] };
  const { out } = await holdfast(['journal', '--dir', copy, '-o', 'json']);
  const entries = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
  return { refusal: null, entries };
}

async function auditOf({ laboratory, places }: ChaosStand): Promise<string | null> {
  const { name, publicKey } = laboratory.logKey;
  const url = `postgresql:///fleet?host=${encodeURIComponent(places.postgres)}&port=5432&user=holdfast`;
  const { refusal } = await holdfast([
    'audit',
    'verify',
    '--database',
    url,
    '--log-key',
    `${name}:${publicKey}`,
  ]);
  return refusal;
}

/** A command as people call it; `refusal`: what it said when it did not end well. */
async function holdfast(
  words: readonly string[],
): Promise<{ readonly out: string; readonly refusal: string | null }> {
  const program = fileURLToPath(new URL('../../runtime/cli/main.js', import.meta.url));
  try {
    const { stdout } = await run(process.execPath, [program, ...words], limits);
    return { out: stdout, refusal: null };
  } catch (error) {
    const { stdout = '', stderr = String(error) } = error as { stdout?: string; stderr?: string };
    return { out: stdout, refusal: `${stdout}${stderr}`.trim() };
  }
}

function logsOf({ places, station }: ChaosStand) {
  return [places.logs, places.broker, station.directory].flatMap((directory) => filesIn(directory));
}
