/** Reserves an EID before any key is injected: quota, uniqueness, and what a second appearance means. */
import { Fault } from '../core/faults.ts';
import type { ControllerReport } from '../core/gate/release.ts';
import { instantOf } from '../core/instant.ts';
import { hashOf, seal } from '../core/messages/envelope.ts';
import type { reserveExchange } from '../core/messages/exchanges.ts';
import { reservation } from '../core/messages/receipts.ts';
import { checkEidRule, openTicket, type TicketPayload } from '../core/messages/ticket.ts';
import type { FleetTransaction, OperationRow } from '../core/store/fleet.ts';
import { uuidV7 } from '../core/uuid.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import { type ControllerLook, checkGate, lookAt, settle, verifyReport } from './controllers.ts';
import type { BackendPorts } from './ports.ts';

export function reserveHandler(ports: BackendPorts): HandlerOf<typeof reserveExchange> {
  return async ({ station, nest, body }) => {
    const now = ports.clock.now();
    const ticket = openTicket(body.ticket, { station, nowMs: now }, ports.trusted, ports.crypto);
    checkEidRule(ticket, body.identity.eid);
    checkGate(verifyReport(body.report, station, ports), ticket);
    const wanted: Wanted = {
      ticket,
      ticketHash: hashOf(body.ticket, ports.crypto),
      eid: body.identity.eid,
      seFingerprint: body.identity.seFingerprint,
      attempt: body.attempt,
      station,
      nest,
      at: instantOf(now),
      operation: uuidV7(now, ports.entropy.bytes(10)),
    };
    const row = await ports.store.transaction((tx) => reserveUnit(tx, wanted, body.report));
    const receipt = await seal(reservation, receiptOf(row), ports.signer, ports.crypto);
    return { body: { reservation: receipt }, binding: { operation: row.operation, epoch: row.epoch } };
  };
}

interface Wanted {
  readonly ticket: TicketPayload;
  readonly ticketHash: string;
  readonly eid: string;
  readonly seFingerprint: string;
  readonly attempt: string;
  readonly station: string;
  readonly nest: string;
  readonly at: string;
  /** Used if this EID has none yet. */
  readonly operation: string;
}

/** @throws Fault UNIT_CLONED, UNIT_RELEASED_BEFORE, UNIT_REJECTED_BEFORE, QUOTA_EXHAUSTED */
async function reserveUnit(
  tx: FleetTransaction,
  wanted: Wanted,
  report: ControllerReport,
): Promise<OperationRow> {
  const [look, known, other] = await Promise.all([
    lookAt(tx, report),
    tx.operationByEid(wanted.eid),
    tx.operationByFingerprint(wanted.seFingerprint),
  ]);
  const [row] = await Promise.all([
    known === null ? reserveFirst(tx, wanted, other) : reserveAgain(tx, wanted, known, look),
    settle(tx, look),
  ]);
  return row;
}

/** A second appearance: the same try, a resume, a unit that is finished, or another chip under its name. */
async function reserveAgain(
  tx: FleetTransaction,
  wanted: Wanted,
  known: OperationRow,
  look: ControllerLook,
): Promise<OperationRow> {
  if (known.seFingerprint !== wanted.seFingerprint)
    throw new Fault('UNIT_CLONED', { eid: wanted.eid.slice(-4), operation: known.operation });
  if (known.state === 'released' || look.left?.operation === known.operation)
    throw new Fault('UNIT_RELEASED_BEFORE', { operation: known.operation });
  if (known.state === 'rejected' || known.state === 'diverted')
    throw new Fault('UNIT_REJECTED_BEFORE', { operation: known.operation });
  if (known.attempt === wanted.attempt) return known;
  const { ticket, ticketHash, station, nest, attempt } = wanted;
  const resumed: OperationRow = {
    ...known,
    ticket: ticket.ticket,
    ticketHash,
    station,
    nest,
    attempt,
    epoch: known.epoch + 1,
    attemptedAt: wanted.at,
  };
  await tx.updateOperation(resumed);
  return resumed;
}

async function reserveFirst(
  tx: FleetTransaction,
  wanted: Wanted,
  other: OperationRow | null,
): Promise<OperationRow> {
  if (other !== null)
    throw new Fault('UNIT_CLONED', { eid: wanted.eid.slice(-4), operation: other.operation });
  const { ticket } = wanted;
  if (!(await tx.takeQuota(ticket.ticket, ticket.quota)))
    throw new Fault('QUOTA_EXHAUSTED', { ticket: ticket.ticket, quota: ticket.quota });
  const row: OperationRow = {
    operation: wanted.operation,
    eid: wanted.eid,
    seFingerprint: wanted.seFingerprint,
    ticket: ticket.ticket,
    ticketHash: wanted.ticketHash,
    station: wanted.station,
    nest: wanted.nest,
    epoch: 1,
    attempt: wanted.attempt,
    generation: ticket.generation,
    keyVersion: ticket.keyVersion,
    state: 'reserved',
    reservedAt: wanted.at,
    attemptedAt: wanted.at,
  };
  await tx.insertOperation(row);
  return row;
}

function receiptOf(row: OperationRow) {
  return {
    operation: row.operation,
    epoch: row.epoch,
    station: row.station,
    nest: row.nest,
    eid: row.eid,
    seFingerprint: row.seFingerprint,
    ticket: row.ticket,
    ticketHash: row.ticketHash,
    attempt: row.attempt,
    generation: row.generation,
    keyVersion: row.keyVersion,
    appearance: row.epoch === 1 ? ('first' as const) : ('resume' as const),
    reservedAt: row.attemptedAt,
  };
}
