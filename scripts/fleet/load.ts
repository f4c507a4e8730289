/**
 * Loads synthetic units into a fleet database: leaves, traces and records by the code that the backend writes them
 * with, many to a transaction, and one signed head of the log with each. Custody and receipts are left out: nothing that
 * is measured here reads them, and they are four fifths of the bytes.
 */

import { nodeCrypto } from '../../drivers/crypto/node.ts';
import type { Database } from '../../drivers/store/postgres/database.ts';
import { operations } from '../../drivers/store/postgres/fleet-statements.ts';
import { fleetTransaction } from '../../drivers/store/postgres/fleet-transaction.ts';
import { arraysOf, insertInto } from '../../drivers/store/postgres/table.ts';
import type { LogSigner } from '../../runtime/backend/ports.ts';
import { fromText, toHex } from '../../runtime/core/bytes.ts';
import { canonicalJson, type Json } from '../../runtime/core/canonical-json.ts';
import { injectionBody } from '../../runtime/core/history/injection.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { checkpointText } from '../../runtime/core/log/checkpoint.ts';
import { type LeafKind, leafOf } from '../../runtime/core/log/leaf.ts';
import { signedNote } from '../../runtime/core/log/note.ts';
import { leafHash, MerkleTree } from '../../runtime/core/log/tree.ts';
import { buildRecord } from '../../runtime/core/record/build.ts';
import type { LeafRow, OperationRow, RecordRow } from '../../runtime/core/store/fleet.ts';
import type { RevocationRow } from '../../runtime/core/store/revocation.ts';
import { hashOf, INTERMEDIATES, type Unit, unitOf } from './units.ts';

/** A unit is on the line for as long. */
const RESERVED_BEFORE_MS = 4_000;
const UNITS_PER_TRANSACTION = 1_000;
/** One unit in so many loses its certificate by a plan of its own batch of units. */
const REVOKED_ONE_IN = 400;
/** From the confirmation to the gate. */
const LEAVES_AFTER_MS = 900;

export interface Loading {
  readonly database: Database;
  readonly units: number;
  readonly logSigner: LogSigner;
  onProgress(done: number): void;
}

/** What one transaction writes. */
interface Batch {
  readonly leaves: LeafRow[];
  readonly records: RecordRow[];
  readonly operations: OperationRow[];
  readonly revocations: RevocationRow[];
  append(kind: LeafKind, key: string, atMs: number, body: Readonly<Record<string, Json>>): number;
}

export async function loadFleet({ database, units, logSigner, onProgress }: Loading): Promise<MerkleTree> {
  const tree = new MerkleTree(nodeCrypto.sha256);
  for (let from = 0; from < units; from += UNITS_PER_TRANSACTION) {
    const batch = emptyBatch(tree);
    const made: Unit[] = [];
    for (let i = from; i < Math.min(units, from + UNITS_PER_TRANSACTION); i++) {
      const unit = unitOf(i, units);
      made.push(unit);
      addUnit(batch, unit);
    }
    revokeSome(batch, made);
    const isLast = from + UNITS_PER_TRANSACTION >= units;
    await database.transaction(async (session) => {
      const tx = fleetTransaction(session);
      const text = checkpointText({ origin: logSigner.key.name, size: tree.size, root: tree.root() });
      const checkpoint = signedNote(text, logSigner.key, logSigner.sign(fromText(text)), nodeCrypto);
      await Promise.all([
        session.count(insertInto(operations), arraysOf(operations, batch.operations)),
        tx.insertRecords(batch.records),
        tx.insertLeaves(batch.leaves),
        tx.insertRevocations(batch.revocations),
        tx.updateHead({ size: tree.size, root: tree.root(), checkpoint }),
      ]);
    });
    if (isLast) await letSmallOneFall({ database, logSigner }, tree, made);
    onProgress(Math.min(units, from + UNITS_PER_TRANSACTION));
  }
  return tree;
}

function emptyBatch(tree: MerkleTree): Batch {
  const batch: Batch = {
    leaves: [],
    records: [],
    operations: [],
    revocations: [],
    append: (kind, key, atMs, body) => {
      const leaf = leafOf(kind, key, instantOf(atMs), body);
      const hash = leafHash(leaf.entry, nodeCrypto.sha256);
      const index = tree.size;
      tree.append(hash);
      batch.leaves.push({ index, key, hash, entry: leaf.entry });
      return index;
    },
  };
  return batch;
}

function addUnit(batch: Batch, unit: Unit): void {
  const { operation, eid, atMs, fate, ticket, confirmation: c } = unit;
  const state = fate === 'rejected' ? 'diverted' : 'released';
  batch.operations.push({
    ...{ operation, eid, seFingerprint: c.seFingerprint, ticket: ticket.ticket, ticketHash: 'aa' },
    ...{ station: c.station, nest: c.nest, epoch: c.epoch, attempt: '-', generation: ticket.generation },
    ...{ keyVersion: ticket.keyVersion, state, reservedAt: c.confirmedAt, attemptedAt: c.confirmedAt },
  });
  if (fate === 'rejected') addRejection(batch, unit);
  else {
    if (fate === 'moved') addMove(batch, unit);
    addRecord(batch, unit);
  }
  const lane = fate === 'rejected' ? 'reject' : 'good';
  const departure = { operation, eid, lane, controller: `gate-${c.station}`, counter: 1 };
  batch.append('station-event', `event/${operation}`, atMs + LEAVES_AFTER_MS, {
    ...{ station: c.station, journal: c.station, sequence: 1, hash: c.judgedHash, departure },
  });
}

function addRecord(
  batch: Batch,
  { operation, eid, atMs, operator, software, ticket, confirmation: c }: Unit,
): void {
  const certificate = 'absent' in c.certificate ? null : c.certificate;
  const record = buildRecord({
    ...{
      confirmation: c,
      confirmationHash: c.judgedHash,
      ticket,
      operator,
      rootName: 'fleet root',
      holds: [],
    },
    custody: [{ holder: 'gateway', statement: 'confirmation', sha256: c.judgedHash }],
    ...{ controller: `gate-${c.station}`, gate: 'controller', stationSoftware: software },
    beacon: { at: instantOf(atMs - RESERVED_BEFORE_MS), sha256: c.judgedHash },
    recordedAt: instantOf(atMs),
  });
  const bytes = fromText(canonicalJson(record));
  const recordHash = toHex(nodeCrypto.sha256(bytes));
  const confirmationHash = c.judgedHash;
  const body = injectionBody({
    confirmation: c,
    confirmationHash,
    ticket,
    operator,
    stationSoftware: software,
  });
  const leafIndex = batch.append('registration', `record/${operation}`, atMs, {
    ...body,
    recordHash,
    gate: 'controller',
  });
  const [certificateSerial, publicKeyHash] = [
    certificate?.serial ?? null,
    certificate?.publicKeyHash ?? null,
  ];
  batch.records.push({
    operation,
    eid,
    certificateSerial,
    publicKeyHash,
    record: bytes,
    recordHash,
    leafIndex,
  });
}

function addRejection(batch: Batch, { operation, eid, atMs, operator, ticket, confirmation: c }: Unit): void {
  batch.append('rejection', `rejection/${operation}`, atMs, {
    ...{ visit: operation, operation, claimed: null, eid, seFingerprint: c.seFingerprint, effect: 'closes' },
    ...{ station: c.station, gate: 'controller', operator, gateway: c.gateway, ticket: ticket.ticket },
    fault: { code: 'CARD_KEYS_NOT_PROVED', context: {} },
    ...{ judgedBy: `gateway ${c.gateway}`, verdictHash: c.judgedHash },
    revocation: { generation: ticket.generation, keyVersions: [ticket.keyVersion], certificateSerials: [] },
  });
}

/** It was begun at the station before this one. */
function addMove(batch: Batch, { operation, eid, atMs, ticket, confirmation: c }: Unit): void {
  const known = {
    ...{ operation, epoch: 1, state: 'reserved', eid, seFingerprint: c.seFingerprint, station: 'station-1' },
    ...{ nest: 'a', ticket: ticket.ticket, attemptedAt: instantOf(atMs - 2_000) },
  };
  batch.append('appearance', `appearance/${operation}`, atMs - 1_000, {
    ...{
      appearance: 'moved',
      eid,
      seFingerprint: c.seFingerprint,
      station: c.station,
      nest: 'a',
      arrival: 1,
    },
    ...{ attempt: '-', ticket: ticket.ticket, fault: null, epoch: 2, known },
  });
}

/** A plan of its own for some of them, an hour later. */
function revokeSome(batch: Batch, units: readonly Unit[]): void {
  const [first] = units;
  const hit = units.filter(
    ({ fate, confirmation: c }) =>
      fate !== 'rejected' && parseInt(c.judgedHash.slice(0, 8), 16) % REVOKED_ONE_IN === 0,
  );
  if (first === undefined || hit.length === 0) return;
  const plan = hashOf(`plan ${first.eid}`);
  const atMs = (units.at(-1) ?? first).atMs + 3_600_000;
  const certificates = hit.flatMap(({ eid, confirmation: { certificate: c } }) =>
    'absent' in c ? [] : [{ serial: c.serial, issuer: c.issuer, eid }],
  );
  const leafIndex = batch.append('revocation', `revocation/${plan}`, atMs, {
    ...{ plan, reason: 'superseded', intermediates: [], collateral: 0, approvals: [] },
    certificates: certificates.map(({ serial, issuer }) => ({ serial, issuer })),
  });
  const common = { plan, reason: 'superseded', revokedAt: instantOf(atMs), leafIndex } as const;
  batch.revocations.push(...certificates.map((one) => ({ ...one, ...common })));
}

/** In the end the small intermediate is revoked as a whole. */
async function letSmallOneFall(
  { database, logSigner }: Pick<Loading, 'database' | 'logSigner'>,
  tree: MerkleTree,
  units: readonly Unit[],
): Promise<void> {
  const batch = emptyBatch(tree);
  const name = INTERMEDIATES[3];
  const plan = hashOf('plan of the small one');
  const atMs = (units.at(-1)?.atMs ?? 0) + 7_200_000;
  const keyIdentifier = hashOf(name).slice(0, 40);
  const leafIndex = batch.append('revocation', `revocation/${plan}`, atMs, {
    ...{ plan, reason: 'cACompromise', intermediates: [{ name, keyIdentifier }], certificates: [] },
    ...{ collateral: 0, approvals: [] },
  });
  const row = { issuer: name, issuerKeyId: keyIdentifier, plan, reason: 'cACompromise', leafIndex } as const;
  await database.transaction(async (session) => {
    const tx = fleetTransaction(session);
    const text = checkpointText({ origin: logSigner.key.name, size: tree.size, root: tree.root() });
    const checkpoint = signedNote(text, logSigner.key, logSigner.sign(fromText(text)), nodeCrypto);
    await tx.insertLeaves(batch.leaves);
    await tx.insertRevokedIssuer({ ...row, revokedAt: instantOf(atMs) });
    await tx.updateHead({ size: tree.size, root: tree.root(), checkpoint });
  });
}
