/**
 * Registrations a second through the backend’s own sequencer into a database that syncs each commit: reservations are
 * there, what is verified before the lock is given, each receipt gets its proofs. Beside it the same rows in the same
 * groups as plain inserts and nothing else.
 */
import type { BackendConfig } from '../../config/backend.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openHeadFile } from '../../drivers/store/head-file.ts';
import type { Database } from '../../drivers/store/postgres/database.ts';
import { operations } from '../../drivers/store/postgres/fleet-statements.ts';
import { fleetTransaction } from '../../drivers/store/postgres/fleet-transaction.ts';
import { arraysOf, insertInto } from '../../drivers/store/postgres/table.ts';
import type { BackendPorts, LogSigner, RequestPorts } from '../../runtime/backend/ports.ts';
import { placeInLog } from '../../runtime/backend/receipts.ts';
import type { CheckedRegistration } from '../../runtime/backend/record-rows.ts';
import { registering } from '../../runtime/backend/registration.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import type { ControllerReport } from '../../runtime/core/gate/release.ts';
import type { FleetStore, FleetTransaction, OperationRow } from '../../runtime/core/store/fleet.ts';
import { hashOf, INTERMEDIATES, type Unit, unitOf } from './units.ts';

export interface Rate {
  readonly perSecond: number;
  readonly barePerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Registrations in a group, on average. */
  readonly group: number;
  /** Bytes of statements, record and leaf of one of them. */
  readonly bytes: number;
}

export interface Load {
  readonly database: Database;
  /** Another database of the same server, for the plain inserts. */
  readonly bare: Database;
  readonly headFile: string;
  readonly logSigner: LogSigner;
  /** Number of the first unit. */
  readonly from: number;
  readonly registrations: number;
  /** Stations that each wait for one answer. */
  readonly waiting: number;
}

type Inserting =
  | 'insertRecords'
  | 'insertConfirmations'
  | 'insertCustody'
  | 'insertReleases'
  | 'insertLeaves';
/** What one transaction inserted, in calls that can be made again. */
type Group = ((tx: FleetTransaction) => Promise<void>)[];

export async function registrationRate(load: Load): Promise<Rate> {
  const { database, registrations, waiting, from } = load;
  // Certificates of the intermediate that has fallen are refused: every so manyth unit is left out.
  const units = Array.from({ length: 2 * registrations }, (_, i) =>
    unitOf(from + i, from + 2 * registrations),
  )
    .filter(
      ({ confirmation: { certificate } }) =>
        !('absent' in certificate) && certificate.issuer !== INTERMEDIATES[3],
    )
    .slice(0, registrations);
  await reserve(database, units);
  const checked = units.map((unit, i) =>
    checkedOf(unit, `gate-${from}-${i % waiting}`, 1 + Math.floor(i / waiting)),
  );
  const groups: Group[] = [];
  const sequencer = new Sequencer(await portsOf(load, groups), 4096);
  await sequencer.load();
  const took: number[] = [];
  const began = performance.now();
  await Promise.all(
    Array.from({ length: waiting }, async (_, station) => {
      let known = 0;
      for (let i = station; i < checked.length; i += waiting) {
        const one = checked[i];
        if (one === undefined) break;
        const asked = performance.now();
        const { value, log } = await sequencer.add(registering(one, CONFIG, PORTS), true);
        const place = placeInLog(value.leaf, known, log);
        if (place.inclusionProof.length === 0) throw new RangeError('a receipt without a proof');
        known = log.size;
        took.push(performance.now() - asked);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  const bareSeconds = await insertAgain(load.bare, groups);
  took.sort((a, b) => a - b);
  const at = (part: number): number => took[Math.floor((took.length - 1) * part)] ?? 0;
  return {
    perSecond: registrations / seconds,
    barePerSecond: registrations / bareSeconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    group: registrations / groups.length,
    bytes: bytesOf(checked[0]),
  };
}

const CONFIG = { authorities: {}, rootName: 'fleet root' } as unknown as BackendConfig;
const PORTS = {
  crypto: nodeCrypto,
  // No station is revoked here; the store is asked all the same, as with every registration.
  register: {
    demandStored: async (tx: FleetTransaction, station: string) => void (await tx.revokedStation(station)),
  },
} as unknown as RequestPorts;

async function reserve(database: Database, units: readonly Unit[]): Promise<void> {
  const rows = units.map(
    ({ operation, eid, ticket, confirmation: c }): OperationRow => ({
      ...{
        operation,
        eid,
        seFingerprint: c.seFingerprint,
        ticket: ticket.ticket,
        ticketHash: 'aa',
        epoch: 1,
      },
      ...{
        station: c.station,
        nest: c.nest,
        attempt: '-',
        generation: ticket.generation,
        keyVersion: ticket.keyVersion,
      },
      ...{ state: 'reserved', reservedAt: c.confirmedAt, attemptedAt: c.confirmedAt },
    }),
  );
  await database.transaction((session) => session.count(insertInto(operations), arraysOf(operations, rows)));
}

/** A registration after its signatures, as long as those of a real line. */
function checkedOf(unit: Unit, controller: string, arrival: number): CheckedRegistration {
  const { ticket, confirmation, operator, software } = unit;
  const signed = (value: object): string =>
    `${'x'.repeat(120)}.${Buffer.from(JSON.stringify(value)).toString('base64url')}.${hashOf(unit.eid).slice(0, 43).repeat(2)}`;
  const { operation, eid, seFingerprint, station, nest, ticket: order, keys } = confirmation;
  const reserved = { operation, eid, seFingerprint, station, nest, order, attempt: operation, ...keys };
  const jws = {
    reservation: signed(reserved),
    confirmation: signed(confirmation),
    ticket: signed({ ...ticket, approvals: ['a'.repeat(600), 'b'.repeat(600)] }),
  };
  const report: ControllerReport = {
    ...{ kind: 'arrived', reason: 'none', controller, nest, arrival, gate: 'closed', obeyed: arrival - 1 },
    left: { arrival: arrival - 1, counter: arrival - 1, lane: 'good' },
    mac: '00'.repeat(16),
  };
  const sent = { jws: signed({ ...jws, report }), hash: hashOf(eid) };
  return {
    confirmation,
    jws,
    ticket,
    report,
    gate: 'controller',
    holds: [],
    operator,
    software,
    sent,
    reservedAt: confirmation.confirmedAt,
    at: confirmation.confirmedAt,
  };
}

async function portsOf({ database, headFile, logSigner }: Load, groups: Group[]): Promise<BackendPorts> {
  const store: FleetStore = {
    transaction: (work) => database.transaction((session) => work(noting(fleetTransaction(session), groups))),
    close: async () => undefined,
  };
  const heads = await openHeadFile(headFile);
  // The units were loaded beside the backend's program: it has told nobody of them.
  await heads.remember(await store.transaction((tx) => tx.readHead()));
  const log = { write: () => undefined };
  return { store, heads, logSigner, log, crypto: nodeCrypto } as unknown as BackendPorts;
}

/** The same transaction; what it inserts is remembered. */
function noting(tx: FleetTransaction, groups: Group[]): FleetTransaction {
  const group: Group = [];
  const noted =
    <Row>(name: Inserting) =>
    async (rows: readonly Row[]): Promise<void> => {
      const insert = (on: FleetTransaction): Promise<void> =>
        (on[name] as (some: readonly Row[]) => Promise<void>)(rows);
      if (group.push(insert) === 1) groups.push(group);
      await insert(tx);
    };
  return {
    ...tx,
    insertRecords: noted('insertRecords'),
    insertConfirmations: noted('insertConfirmations'),
    insertCustody: noted('insertCustody'),
    insertReleases: noted('insertReleases'),
    insertLeaves: noted('insertLeaves'),
  };
}

/** In seconds. */
async function insertAgain(bare: Database, groups: readonly Group[]): Promise<number> {
  const began = performance.now();
  for (const group of groups)
    await bare.transaction(async (session) => {
      const tx = fleetTransaction(session);
      await Promise.all(group.map((insert) => insert(tx)));
    });
  return (performance.now() - began) / 1_000;
}

function bytesOf(checked: CheckedRegistration | undefined): number {
  if (checked === undefined) return 0;
  const { jws, sent } = checked;
  return jws.ticket.length + jws.reservation.length + 2 * jws.confirmation.length + sent.jws.length;
}
