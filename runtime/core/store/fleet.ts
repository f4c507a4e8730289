/**
 * The fleet store in the verbs of the backend. Real: PostgreSQL; simulated: in memory. What is hashed or
 * signed is stored as bytes or text, never as a projection.
 */
import type { Bytes } from '../bytes.ts';
import type { Lane } from '../gate/release.ts';
import type { Appearance } from '../operation/appearance.ts';
import type { HistoryVerbs } from './history.ts';
import type { LogVerbs } from './log.ts';
import type { OperatorVerbs } from './operators.ts';
import type { OrderVerbs } from './orders.ts';
import type { RevocationTransaction } from './revocation.ts';

export interface FleetStore {
  /** Runs `work` in one serializable transaction and resolves after COMMIT. Repeats it from the start when
   * the database asks for that (40001, 40P01), so `work` has no effect outside of `tx`.
   * @throws Fault STORE_UNAVAILABLE when the outcome may be unknown: repeat the request, its keys make that safe */
  transaction<T>(work: (tx: FleetTransaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export type OperationState = 'reserved' | 'recorded' | 'released' | 'rejected' | 'diverted';

export interface OperationRow {
  readonly operation: string;
  readonly eid: string;
  readonly seFingerprint: string;
  readonly ticket: string;
  readonly ticketHash: string;
  readonly station: string;
  readonly nest: string;
  readonly epoch: number;
  /** The station's name for the try that raised the epoch. */
  readonly attempt: string;
  readonly generation: number;
  readonly keyVersion: number;
  readonly state: OperationState;
  readonly reservedAt: string;
  /** When the present epoch was reserved. */
  readonly attemptedAt: string;
}

export interface RecordRow {
  readonly operation: string;
  readonly eid: string;
  /** Null, as the key, for a unit whose card profile has no key pair. */
  readonly certificateSerial: string | null;
  readonly publicKeyHash: string | null;
  /** Canonical JSON of the identity record. */
  readonly record: Bytes;
  readonly recordHash: string;
  readonly leafIndex: number;
}

export interface ConfirmationRow {
  readonly operation: string;
  readonly epoch: number;
  readonly jws: string;
  readonly sha256: string;
  readonly leafIndex: number;
}

export interface CustodyRow {
  readonly operation: string;
  readonly epoch: number;
  readonly position: number;
  readonly holder: string;
  /** The signed statement itself, compact JWS. */
  readonly statement: string;
  readonly sha256: string;
}

export interface ReleaseRow {
  readonly controller: string;
  readonly counter: number;
  readonly nest: string;
  readonly lane: Lane;
  readonly operation: string;
  readonly epoch: number;
  readonly arrival: number;
}

export interface RejectionRow {
  readonly visit: string;
  readonly operation: string;
  readonly eid: string | null;
  readonly faultCode: string;
  /** Canonical JSON of the rejection, with what is listed for revocation. */
  readonly entry: Bytes;
  readonly leafIndex: number;
}

/** A later appearance of an EID or a chip that is an event of its own. */
export interface AppearanceRow {
  /** The key of its leaf: the arrival, and what it was. */
  readonly key: string;
  readonly appearance: Appearance;
  /** As the chip claimed it. */
  readonly eid: string;
  readonly seFingerprint: string;
  /** The operation that is known of the EID or of the chip. */
  readonly operation: string;
  /** What the unit was refused with; null where its operation was resumed. */
  readonly faultCode: string | null;
  readonly at: string;
  /** Canonical JSON of what the leaf says. */
  readonly entry: Bytes;
  readonly leafIndex: number;
}

/** What a gate controller last said, taken only from reports with the right code. */
export interface ControllerRow {
  readonly controller: string;
  readonly arrival: number;
  readonly obeyed: number;
  readonly leftArrival: number;
  readonly leftCounter: number;
  /** Highest counter given to this controller. */
  readonly issued: number;
}

export interface EventRow {
  readonly station: string;
  readonly journal: string;
  readonly sequence: number;
  readonly hash: string;
  readonly text: string;
  readonly receivedAt: string;
}

export interface LeafRow {
  readonly index: number;
  readonly key: string;
  /** 32 bytes. */
  readonly hash: Bytes;
  readonly entry: Bytes;
}

export interface HeadRow {
  readonly size: number;
  readonly root: Bytes;
  /** C2SP signed note; empty before the first leaf. */
  readonly checkpoint: string;
}

/** A station whose requests are refused, for ever. */
export interface RevokedStationRow {
  readonly station: string;
  /** Its place in the list, from 1. */
  readonly number: number;
  readonly since: string;
  readonly reason: string;
}

/** Keys of a station that officers enrolled; the newest of a name counts, the former ones never again. */
export interface EnrolledStationRow {
  readonly station: string;
  /** Its place among the enrolments, from 1. */
  readonly number: number;
  readonly since: string;
  /** Hexadecimal points, 65 bytes each. */
  readonly tlsKey: string;
  readonly envelopeKey: string;
}

/** Rows are locked where a decision follows from reading them. Lists are written in one round trip. */
export interface FleetTransaction
  extends OrderVerbs,
    RevocationTransaction,
    LogVerbs,
    HistoryVerbs,
    OperatorVerbs {
  operationByEid(eid: string): Promise<OperationRow | null>;
  operationById(operation: string): Promise<OperationRow | null>;
  operationByFingerprint(seFingerprint: string): Promise<OperationRow | null>;
  insertOperation(row: OperationRow): Promise<void>;
  /** Replaces everything but operation and EID. */
  updateOperation(row: OperationRow): Promise<void>;
  /** Each of them once. */
  updateOperations(rows: readonly OperationRow[]): Promise<void>;
  /** Takes the operation out of those that have an EID and a chip; both are free again, the row is kept. */
  disownOperation(operation: string): Promise<void>;
  /** The newest disowned operation of this very pair. */
  disownedOperation(eid: string, seFingerprint: string): Promise<OperationRow | null>;

  recordByOperation(operation: string): Promise<RecordRow | null>;
  recordByEid(eid: string): Promise<RecordRow | null>;
  recordByPublicKey(publicKeyHash: string): Promise<RecordRow | null>;
  /** Newest first. */
  listRecords(limit: number): Promise<readonly RecordRow[]>;
  /** Those whose leaf is `leafIndex` or behind it, oldest first. */
  recordsFrom(leafIndex: number, limit: number): Promise<readonly RecordRow[]>;
  insertRecords(rows: readonly RecordRow[]): Promise<void>;
  confirmation(operation: string, epoch: number): Promise<ConfirmationRow | null>;
  confirmationsOf(operation: string): Promise<readonly ConfirmationRow[]>;
  insertConfirmations(rows: readonly ConfirmationRow[]): Promise<void>;
  custodyOf(operation: string): Promise<readonly CustodyRow[]>;
  insertCustody(rows: readonly CustodyRow[]): Promise<void>;
  rejection(visit: string): Promise<RejectionRow | null>;
  listRejections(limit: number): Promise<readonly RejectionRow[]>;
  insertRejections(rows: readonly RejectionRow[]): Promise<void>;
  appearance(key: string): Promise<AppearanceRow | null>;
  /** Those in which the EID was shown, and those about the operation, oldest first. */
  appearancesOf(eid: string, operation: string | null, limit: number): Promise<readonly AppearanceRow[]>;
  insertAppearances(rows: readonly AppearanceRow[]): Promise<void>;

  /** Locks the controller's row; makes it when missing. */
  controller(name: string): Promise<ControllerRow>;
  updateController(row: ControllerRow): Promise<void>;
  /** Each of them once. */
  updateControllers(rows: readonly ControllerRow[]): Promise<void>;
  /** The release with the highest counter for this operation. */
  lastRelease(operation: string): Promise<ReleaseRow | null>;
  releaseByCounter(controller: string, counter: number): Promise<ReleaseRow | null>;
  insertReleases(rows: readonly ReleaseRow[]): Promise<void>;

  /** The last event of a journal; null when there is none. */
  eventHead(station: string, journal: string): Promise<EventRow | null>;
  event(station: string, journal: string, sequence: number): Promise<EventRow | null>;
  /** Events whose text contains the EID, oldest first. */
  eventsAbout(eid: string, limit: number): Promise<readonly EventRow[]>;
  insertEvents(rows: readonly EventRow[]): Promise<void>;

  /** In the order of their numbers. */
  revokedStations(): Promise<readonly RevokedStationRow[]>;
  insertRevokedStation(row: RevokedStationRow): Promise<void>;
  /** In the order of their numbers. */
  enrolledStations(): Promise<readonly EnrolledStationRow[]>;
  insertEnrolledStation(row: EnrolledStationRow): Promise<void>;

  /** Locks the head of the log: whoever holds it is the only one that appends. */
  lockHead(): Promise<HeadRow>;
  readHead(): Promise<HeadRow>;
  updateHead(row: HeadRow): Promise<void>;
  /** With each leaf its traces. */
  insertLeaves(rows: readonly LeafRow[]): Promise<void>;
  leafByKey(key: string): Promise<LeafRow | null>;
  /** Leaves [from, from + limit), in order. */
  leaves(from: number, limit: number): Promise<readonly LeafRow[]>;
}
