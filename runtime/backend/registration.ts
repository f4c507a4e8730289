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
import type { ReleaseRow } from '../core/store/fleet.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import { checkGate, gateOf, lookAt, releaseFor, settle, signedRelease, verifyReport } from './controllers.ts';
import type { BackendPorts, RequestPorts } from './ports.ts';
import { placeInLog } from './receipts.ts';
import { type CheckedRegistration, writeConfirmation, writeRecord } from './record-rows.ts';
import type { Draft, Sequencer } from './sequencer.ts';

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
    const checked = { ...check(body, asked, ports), gate: gateOf(controller), sent };
    checkGate(controller, checked.ticket);
    const { value, log } = await sequencer.add((draft) => register(draft, checked, config, ports), true);
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

/** @throws Fault CONFIRMATION_INVALID, ENVELOPE_INVALID */
function check(
  body: {
    reservation: string;
    confirmation: string;
    ticket: string;
    report: ControllerReport;
    holds: readonly FaultNote[];
  },
  asked: { station: string; nest: string; operation: string | null; epoch: number | null },
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
    confirmed.keys.keyVersion === reserved.keyVersion;
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
    at: instantOf(ports.clock.now()),
  };
}

/** @throws Fault STATION_REVOKED, UNIT_CERTIFICATE_REVOKED, RESERVATION_STALE, RELEASE_USED, UNIT_REJECTED_BEFORE, UNIT_RELEASED_BEFORE, CERTIFICATE_REFUSED */
async function register(
  draft: Draft,
  checked: CheckedRegistration,
  config: BackendConfig,
  ports: RequestPorts,
): Promise<Registered> {
  const { tx } = draft;
  const { report } = checked;
  const { operation, epoch, certificate } = checked.confirmation;
  const [look, row, stored, record, owner, fallen] = await Promise.all([
    lookAt(tx, report),
    tx.operationById(operation),
    tx.lastRelease(operation),
    tx.recordByOperation(operation),
    'absent' in certificate ? null : tx.recordByPublicKey(certificate.publicKeyHash),
    'absent' in certificate ? null : tx.fallenOf(certificate.serial, certificate.issuerKeyId),
    ports.register.demandStored(tx, checked.confirmation.station),
  ]);
  if (fallen !== null) throw new Fault('UNIT_CERTIFICATE_REVOKED', { operation, fallen });
  if (row === null || row.epoch !== epoch) throw new Fault('RESERVATION_STALE', { operation, epoch });
  if (row.state === 'released' || look.left?.operation === operation)
    throw new Fault('UNIT_RELEASED_BEFORE', { operation });
  if (row.state !== 'reserved' && row.state !== 'recorded')
    throw new Fault('UNIT_REJECTED_BEFORE', { operation });
  const former = draft.releases.find((drafted) => drafted.operation === operation) ?? stored;
  const elsewhere = former !== null && former.controller !== report.controller;
  const { row: release, isNew } = releaseFor({
    operation,
    epoch,
    lane: 'good',
    report,
    controller: look.row,
    former,
    formerController: elsewhere ? await tx.controller(former.controller) : null,
  });
  const drafted = draft.records.find((known) => known.operation === operation) ?? record;
  const written =
    drafted === null
      ? writeRecord(draft, owner, checked, config, ports)
      : await writeConfirmation(draft, drafted.recordHash, checked, ports);
  if (isNew) draft.releases.push(release);
  await Promise.all([
    settle(tx, look, isNew ? release.counter : look.row.issued),
    row.state === 'recorded' ? undefined : tx.updateOperation({ ...row, state: 'recorded' }),
  ]);
  const entry = await draft.entryAt(written.leafIndex);
  return { leaf: { index: written.leafIndex, entry }, recordHash: written.recordHash, release };
}
