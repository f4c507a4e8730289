/** Registers a confirmed unit: record, confirmation, custody and audit leaf in one commit, then the receipt. */
import type { BackendConfig } from '../../config/backend.ts';
import type { Bytes } from '../core/bytes.ts';
import { cardProfile } from '../core/card/profile.ts';
import { brokenPromise } from '../core/card/promises.ts';
import { Fault, type FaultNote } from '../core/faults.ts';
import type { ControllerReport } from '../core/gate/release.ts';
import { instantOf } from '../core/instant.ts';
import { hashOf, open, seal } from '../core/messages/envelope.ts';
import type { registerExchange } from '../core/messages/exchanges.ts';
import { confirmation, registration, reservation } from '../core/messages/receipts.ts';
import { ticketStatement } from '../core/messages/ticket.ts';
import type {
  ControllerRow,
  FleetTransaction,
  OperationRow,
  RecordRow,
  ReleaseRow,
} from '../core/store/fleet.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import {
  type ControllerLook,
  checkGate,
  gateOf,
  lookAt,
  releaseFor,
  settleLater,
  signedRelease,
  verifyReport,
} from './controllers.ts';
import type { Draft, Shared } from './draft.ts';
import { authorityOf } from './operators.ts';
import type { BackendPorts, RequestPorts } from './ports.ts';
import { placeInLog } from './receipts.ts';
import { type CheckedRegistration, writeConfirmation, writeRecord } from './record-rows.ts';
import type { Sequencer } from './sequencer.ts';
import { demandOnLine } from './unit-life.ts';

interface Registered {
  readonly leaf: { readonly index: number; readonly entry: Bytes };
  readonly recordHash: string;
  readonly release: ReleaseRow;
}

export function registerHandler(
  config: BackendConfig,
  ports: RequestPorts,
  sequencer: Sequencer,
): HandlerOf<typeof registerExchange> {
  return async ({ station, nest, operation, epoch, body }, sent) => {
    const controller = verifyReport(body.report, station, ports);
    const asked = { station, nest, operation, epoch };
    const authority = authorityOf(station, config);
    const checked = { ...check(body, asked, authority, ports), gate: gateOf(controller), sent };
    checkGate(controller, checked.ticket);
    const { value, log } = await sequencer.add(registering(checked, config, ports), true);
    const { eid, seFingerprint, transcriptHash } = checked.confirmation;
    const receipt = await seal(
      registration,
      {
        operation: checked.confirmation.operation,
        epoch: checked.confirmation.epoch,
        station,
        nest,
        eid,
        seFingerprint,
        transcriptHash,
        recordHash: value.recordHash,
        ...placeInLog(value.leaf, body.knownTreeSize, log),
        release: signedRelease(value.release, controller, ports),
        registeredAt: checked.at,
      },
      ports.signer,
      ports.crypto,
    );
    return { body: { registration: receipt } };
  };
}

/** @param authority in charge where the reservation, of an older version, names nobody
 * @throws Fault CONFIRMATION_INVALID, ENVELOPE_INVALID */
function check(
  body: {
    reservation: string;
    confirmation: string;
    ticket: string;
    report: ControllerReport;
    holds: readonly FaultNote[];
    software?: string | undefined;
  },
  asked: { station: string; nest: string; operation: string | null; epoch: number | null },
  authority: string,
  ports: BackendPorts,
): Omit<CheckedRegistration, 'gate' | 'sent'> {
  const reserved = open(reservation, body.reservation, ports.trusted, ports.crypto).payload;
  const confirmed = open(confirmation, body.confirmation, ports.trusted, ports.crypto).payload;
  const ticket = open(ticketStatement, body.ticket, ports.trusted, ports.crypto).payload;
  const same =
    confirmed.operation === reserved.operation &&
    confirmed.epoch === reserved.epoch &&
    confirmed.eid === reserved.eid &&
    confirmed.seFingerprint === reserved.seFingerprint &&
    confirmed.station === asked.station &&
    confirmed.nest === asked.nest &&
    asked.operation === reserved.operation &&
    asked.epoch === reserved.epoch &&
    reserved.ticketHash === hashOf(body.ticket, ports.crypto) &&
    confirmed.keys.generation === reserved.generation &&
    confirmed.keys.keyVersion === reserved.keyVersion &&
    (confirmed.operator ?? reserved.operator) === reserved.operator;
  if (!same) throw new Fault('CONFIRMATION_INVALID', { operation: reserved.operation });
  const profile = cardProfile(ticket.cardProfile);
  const broken = profile === null ? 'the card profile is not known' : brokenPromise(confirmed, profile);
  if (broken !== null)
    throw new Fault('CONFIRMATION_INVALID', { operation: reserved.operation, why: broken });
  return {
    confirmation: confirmed,
    jws: { reservation: body.reservation, confirmation: body.confirmation, ticket: body.ticket },
    ticket,
    report: body.report,
    holds: body.holds,
    operator: reserved.operator ?? authority,
    software: body.software ?? 'not told by the station',
    reservedAt: reserved.reservedAt,
    at: instantOf(ports.clock.now()),
  };
}

/** @throws Fault STATION_REVOKED, UNIT_CERTIFICATE_REVOKED, RESERVATION_STALE, RELEASE_USED, UNIT_SET_ASIDE, UNIT_REJECTED_BEFORE, UNIT_RELEASED_BEFORE, CERTIFICATE_REFUSED */
export function registering(
  checked: CheckedRegistration,
  config: BackendConfig,
  ports: RequestPorts,
): Shared<Registered> {
  return {
    begin: async (tx) => {
      const seen = await readFor(checked, tx, ports);
      return { names: namesOf(checked, seen), act: (draft) => register(draft, checked, seen, config, ports) };
    },
  };
}

/** Every row from which the decision follows. */
interface Seen {
  readonly look: ControllerLook;
  readonly row: OperationRow | null;
  readonly release: ReleaseRow | null;
  readonly record: RecordRow | null;
  /** The record that has this public key. */
  readonly owner: RecordRow | null;
  /** What the certificate fell by: itself or its intermediate; null where it stands. */
  readonly fallen: Awaited<ReturnType<FleetTransaction['fallenOf']>>;
  /** The operation whose unit has left, as this report is the first to say. */
  readonly departed: OperationRow | null;
  /** The controller of the former release, where it is another. */
  readonly elsewhere: ControllerRow | null;
}

async function readFor(
  { report, confirmation }: CheckedRegistration,
  tx: FleetTransaction,
  ports: RequestPorts,
): Promise<Seen> {
  const { operation, certificate } = confirmation;
  const [look, row, release, record, owner, fallen] = await Promise.all([
    lookAt(tx, report),
    tx.operationById(operation),
    tx.lastRelease(operation),
    tx.recordByOperation(operation),
    'absent' in certificate ? null : tx.recordByPublicKey(certificate.publicKeyHash),
    'absent' in certificate ? null : tx.fallenOf(certificate.serial, certificate.issuerKeyId),
    ports.register.demandStored(tx, confirmation.station),
  ]);
  const [departed, elsewhere] = await Promise.all([
    look.left === null ? null : tx.operationById(look.left.operation),
    release === null || release.controller === report.controller ? null : tx.controller(release.controller),
  ]);
  return { look, row, release, record, owner, fallen, departed, elsewhere };
}

function namesOf({ report, confirmation }: CheckedRegistration, seen: Seen): readonly string[] {
  const operations = [confirmation.operation, ...(seen.look.left === null ? [] : [seen.look.left.operation])];
  const controllers = [report.controller, ...(seen.elsewhere === null ? [] : [seen.elsewhere.controller])];
  return [
    ...operations.map((name) => `operation ${name}`),
    ...controllers.map((name) => `controller ${name}`),
  ];
}

async function register(
  draft: Draft,
  checked: CheckedRegistration,
  { look, row, release: stored, record, owner, fallen, departed, elsewhere }: Seen,
  config: BackendConfig,
  ports: BackendPorts,
): Promise<Registered> {
  const { report } = checked;
  const { operation, epoch } = checked.confirmation;
  if (fallen !== null) throw new Fault('UNIT_CERTIFICATE_REVOKED', { operation, fallen });
  if (row === null || row.epoch !== epoch) throw new Fault('RESERVATION_STALE', { operation, epoch });
  if (row.state === 'released' || look.left?.operation === operation)
    throw new Fault('UNIT_RELEASED_BEFORE', { operation });
  if (row.state !== 'reserved' && row.state !== 'recorded')
    throw new Fault('UNIT_REJECTED_BEFORE', { operation });
  // Officers can have set aside what has a record.
  if (record !== null) await demandOnLine(draft.tx, record.eid);
  const former = draft.releases.find((drafted) => drafted.operation === operation) ?? stored;
  const { row: release, isNew } = releaseFor({
    operation,
    epoch,
    lane: 'good',
    report,
    controller: look.row,
    former,
    formerController: await otherController(draft, former, report.controller, elsewhere),
  });
  const drafted = draft.records.find((known) => known.operation === operation) ?? record;
  const written =
    drafted === null
      ? writeRecord(draft, owner, checked, config, ports)
      : await writeConfirmation(draft, drafted.recordHash, checked, ports);
  if (isNew) draft.releases.push(release);
  settleLater(draft, look, { departed, issued: isNew ? release.counter : look.row.issued });
  if (row.state !== 'recorded') draft.operations.set(operation, { ...row, state: 'recorded' });
  const entry = await draft.entryAt(written.leafIndex);
  return { leaf: { index: written.leafIndex, entry }, recordHash: written.recordHash, release };
}

/** Of a release that is drafted in this very group it may be one that nobody has read. */
async function otherController(
  { tx, controllers }: Draft,
  former: ReleaseRow | null,
  here: string,
  read: ControllerRow | null,
): Promise<ControllerRow | null> {
  if (former === null || former.controller === here) return null;
  if (read?.controller === former.controller) return read;
  return controllers.get(former.controller) ?? tx.controller(former.controller);
}
