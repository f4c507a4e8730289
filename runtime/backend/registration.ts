/** Registers a confirmed unit: record, confirmation, custody and audit leaf in one commit, then the receipt. */

import type { BackendConfig } from '../../config/backend.ts';
import { type Bytes, fromText, toHex } from '../core/bytes.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { Fault, type FaultNote } from '../core/faults.ts';
import type { ControllerReport } from '../core/gate/release.ts';
import { instantOf } from '../core/instant.ts';
import { leafOf } from '../core/log/leaf.ts';
import { hashOf, open, seal } from '../core/messages/envelope.ts';
import type { registerExchange } from '../core/messages/exchanges.ts';
import { type Confirmation, confirmation, registration, reservation } from '../core/messages/receipts.ts';
import { type TicketPayload, ticketStatement } from '../core/messages/ticket.ts';
import { buildRecord } from '../core/record/build.ts';
import { identityRecord } from '../core/record/identity-record.ts';
import type { OperationRow, ReleaseRow } from '../core/store/fleet.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import { absorbReport, releaseFor, signedRelease, verifyReport } from './controllers.ts';
import type { BackendPorts } from './ports.ts';
import { placeInLog } from './receipts.ts';
import type { Draft, Sequencer } from './sequencer.ts';

/** Everything that can be checked without the store, before anything waits for a lock. */
interface Checked {
  readonly confirmation: Confirmation;
  readonly jws: { readonly reservation: string; readonly confirmation: string; readonly ticket: string };
  readonly ticket: TicketPayload;
  readonly report: ControllerReport;
  readonly holds: readonly FaultNote[];
  readonly sent: { readonly jws: string; readonly hash: string };
  readonly at: string;
}

interface Registered {
  readonly leaf: { readonly index: number; readonly entry: Bytes };
  readonly recordHash: string;
  readonly release: ReleaseRow;
}

export function registerHandler(
  config: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
): HandlerOf<typeof registerExchange> {
  return async ({ station, nest, operation, epoch, body }, sent) => {
    const controller = verifyReport(body.report, station, ports);
    const checked = { ...check(body, { station, nest, operation, epoch }, ports), sent };
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
): Omit<Checked, 'sent'> {
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
  return {
    confirmation: confirmed,
    jws: { reservation: body.reservation, confirmation: body.confirmation, ticket: body.ticket },
    ticket,
    report: body.report,
    holds: body.holds,
    at: instantOf(ports.clock.now()),
  };
}

/** @throws Fault RESERVATION_STALE, RELEASE_USED, UNIT_REJECTED_BEFORE, UNIT_RELEASED_BEFORE, CERTIFICATE_REFUSED */
async function register(
  draft: Draft,
  checked: Checked,
  config: BackendConfig,
  ports: BackendPorts,
): Promise<Registered> {
  const { tx } = draft;
  const { operation, epoch } = checked.confirmation;
  await absorbReport(tx, checked.report);
  const row = await tx.operationById(operation);
  if (row === null || row.epoch !== epoch) throw new Fault('RESERVATION_STALE', { operation, epoch });
  if (row.state === 'released') throw new Fault('UNIT_RELEASED_BEFORE', { operation });
  if (row.state !== 'reserved' && row.state !== 'recorded')
    throw new Fault('UNIT_REJECTED_BEFORE', { operation });
  const order = { operation, epoch, lane: 'good', report: checked.report } as const;
  const { row: release, isNew } = await releaseFor(tx, order, draft.releases);
  const record = await tx.recordByOperation(operation);
  const written =
    record === null
      ? await writeRecord(draft, row, checked, config, ports)
      : await writeConfirmation(draft, record.recordHash, checked, ports);
  if (isNew) draft.releases.push(release);
  const entry = await draft.entryAt(written.leafIndex);
  return { leaf: { index: written.leafIndex, entry }, recordHash: written.recordHash, release };
}

/** The first registration of an operation. */
async function writeRecord(
  draft: Draft,
  row: OperationRow,
  checked: Checked,
  config: BackendConfig,
  ports: BackendPorts,
): Promise<{ readonly leafIndex: number; readonly recordHash: string }> {
  const { confirmation: c, jws, ticket } = checked;
  const owner = await draft.tx.recordByPublicKey(c.certificate.publicKeyHash);
  const drafted = draft.records.some((r) => r.publicKeyHash === c.certificate.publicKeyHash);
  if (owner !== null || drafted)
    throw new Fault('CERTIFICATE_REFUSED', { why: 'the public key belongs to another unit' });
  const confirmationHash = hashOf(jws.confirmation, ports.crypto);
  const custody = custodyOf(checked, ports);
  const record = identityRecord.parse(
    buildRecord({
      confirmation: c,
      confirmationHash,
      ticket,
      custody: custody.map(({ holder, kind, sha256 }) => ({ holder, statement: kind, sha256 })),
      operator: config.authorities[c.station] ?? 'no authority configured',
      controller: checked.report.controller,
      rootName: config.rootName,
      holds: checked.holds,
      stationSoftware: 'holdfast 0.1.0',
      recordedAt: checked.at,
    }),
  );
  const bytes = fromText(canonicalJson(record));
  const recordHash = toHex(ports.crypto.sha256(bytes));
  const leafIndex = draft.append(
    leafOf('registration', `record/${c.operation}`, checked.at, {
      operation: c.operation,
      epoch: c.epoch,
      eid: c.eid,
      recordHash,
      confirmationHash,
      certificateHash: c.certificate.sha256,
      keyVersion: c.keys.keyVersion,
      checkValues: c.keys.checkValues,
      station: c.station,
    }),
  );
  draft.records.push({
    operation: c.operation,
    eid: c.eid,
    certificateSerial: c.certificate.serial,
    publicKeyHash: c.certificate.publicKeyHash,
    record: bytes,
    recordHash,
    leafIndex,
  });
  draft.confirmations.push({
    operation: c.operation,
    epoch: c.epoch,
    jws: jws.confirmation,
    sha256: confirmationHash,
    leafIndex,
  });
  draft.custody.push(
    ...custody.map(({ holder, statement, sha256 }, position) => ({
      operation: c.operation,
      epoch: c.epoch,
      position,
      holder,
      statement,
      sha256,
    })),
  );
  await draft.tx.updateOperation({ ...row, state: 'recorded' });
  return { leafIndex, recordHash };
}

/** A resume: the record stays, the new confirmation is added; a repetition finds its own. */
async function writeConfirmation(
  draft: Draft,
  recordHash: string,
  { confirmation: c, jws, at }: Checked,
  ports: BackendPorts,
): Promise<{ readonly leafIndex: number; readonly recordHash: string }> {
  const known =
    draft.confirmations.find((row) => row.operation === c.operation && row.epoch === c.epoch) ??
    (await draft.tx.confirmation(c.operation, c.epoch));
  if (known !== null) return { leafIndex: known.leafIndex, recordHash };
  const sha256 = hashOf(jws.confirmation, ports.crypto);
  const leafIndex = draft.append(
    leafOf('confirmation', `confirmation/${c.operation}/${c.epoch}`, at, {
      operation: c.operation,
      epoch: c.epoch,
      eid: c.eid,
      recordHash,
      confirmationHash: sha256,
      station: c.station,
    }),
  );
  draft.confirmations.push({
    operation: c.operation,
    epoch: c.epoch,
    jws: jws.confirmation,
    sha256,
    leafIndex,
  });
  return { leafIndex, recordHash };
}

/** Who held the issuance, as their own signed statements. */
function custodyOf({ confirmation: c, jws, sent }: Checked, ports: BackendPorts) {
  const statements = [
    { holder: 'ticket-authority', kind: 'ticket', statement: jws.ticket },
    { holder: 'backend', kind: 'reservation', statement: jws.reservation },
    { holder: `gateway ${c.gateway}`, kind: 'confirmation', statement: jws.confirmation },
  ].map((held) => ({ ...held, sha256: hashOf(held.statement, ports.crypto) }));
  return [
    ...statements,
    {
      holder: `station ${c.station}`,
      kind: 'registration request',
      statement: sent.jws,
      sha256: sent.hash,
    },
  ];
}
