/** Reserves an EID before any key is injected: quota, uniqueness, and what a second appearance means. */
import type { BackendConfig } from '../../config/backend.ts';
import { Fault, isFault } from '../core/faults.ts';
import type { ControllerReport, GateKind } from '../core/gate/release.ts';
import { instantOf } from '../core/instant.ts';
import { hashOf, seal } from '../core/messages/envelope.ts';
import type { reserveExchange } from '../core/messages/exchanges.ts';
import { reservation } from '../core/messages/receipts.ts';
import { checkEidRule, openApprovedTicket, type TicketPayload } from '../core/messages/ticket.ts';
import { type Claim, type Judged, judgeAppearance } from '../core/operation/appearance.ts';
import type { FleetTransaction, OperationRow } from '../core/store/fleet.ts';
import type { NestRow } from '../core/store/orders.ts';
import { uuidV7 } from '../core/uuid.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import { noteAppearance } from './appearances.ts';
import { type ControllerLook, checkGate, gateOf, lookAt, settle, verifyReport } from './controllers.ts';
import { operatorInCharge } from './operators.ts';
import { demandNest, demandOpen, demandStation, occupy, takeUnit } from './order-rules.ts';
import type { BackendPorts } from './ports.ts';
import type { Draft, Sequencer } from './sequencer.ts';

export function reserveHandler(
  config: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
): HandlerOf<typeof reserveExchange> {
  return async ({ station, nest, body }) => {
    const now = ports.clock.now();
    const use = { station, nowMs: now, quorum: config.ticketQuorum };
    const ticket = openApprovedTicket(body.ticket, use, ports.trusted, ports.crypto);
    const controller = verifyReport(body.report, station, ports);
    checkGate(controller, ticket);
    const { eid, seFingerprint } = body.identity;
    const operator = await operatorInCharge(station, body.shift, config, ports);
    const wanted: Wanted = {
      ticket,
      ticketHash: hashOf(body.ticket, ports.crypto),
      claim: { eid, seFingerprint, attempt: body.attempt, station, nest },
      report: body.report,
      gate: gateOf(controller),
      nowMs: now,
      at: instantOf(now),
      operation: uuidV7(now, ports.entropy.bytes(10)),
    };
    const row =
      (await ports.store.transaction((tx) => reserveQuietly(tx, wanted, sequencer))) ??
      (await reserveAsEvent(sequencer, wanted));
    const receipt = await seal(reservation, receiptOf(row, operator), ports.signer, ports.crypto);
    return { body: { reservation: receipt }, binding: { operation: row.operation, epoch: row.epoch } };
  };
}

interface Wanted {
  readonly ticket: TicketPayload;
  readonly ticketHash: string;
  readonly claim: Claim;
  /** Verified. */
  readonly report: ControllerReport;
  readonly gate: GateKind;
  readonly nowMs: number;
  readonly at: string;
  /** Used if this EID has none yet. */
  readonly operation: string;
}

interface Seen {
  readonly judged: Judged;
  readonly look: ControllerLook;
  readonly nest: NestRow | null;
}

/** What may refuse a reservation; each leaves nothing behind. UNIT_ codes are those of the appearance table.
 *
 * Null, and nothing is written, for an appearance that is an event: the log takes part in those.
 * @throws Fault UNIT_RELEASED_BEFORE, UNIT_REJECTED_BEFORE, LOG_ROLLED_BACK, and as `see` and `act` */
async function reserveQuietly(
  tx: FleetTransaction,
  wanted: Wanted,
  sequencer: Sequencer,
): Promise<OperationRow | null> {
  const [seen, head] = await Promise.all([see(tx, wanted), tx.readHead()]);
  sequencer.demandWhole(head);
  if (seen.judged.event) return null;
  const [row] = await Promise.all([act(tx, wanted, seen), settle(tx, seen.look)]);
  return row;
}

/** Decides again under the lock of the log, and answers after leaf and outcome are committed together.
 * @throws Fault UNIT_CLONED, UNIT_RELABELLED, UNIT_RELEASED_BEFORE, UNIT_REJECTED_BEFORE, and as `see` and `act` */
async function reserveAsEvent(sequencer: Sequencer, wanted: Wanted): Promise<OperationRow> {
  const { value } = await sequencer.add((draft) => reserveAndNote(draft, wanted), true);
  if (isFault(value)) throw value;
  return value;
}

/** A refusal of the unit is a value here: thrown, it would take its leaf with it. A refusal by the order is thrown
 * before anything is written. */
async function reserveAndNote(draft: Draft, wanted: Wanted): Promise<OperationRow | Fault> {
  const seen = await see(draft.tx, wanted);
  const { operation: known, fault } = seen.judged;
  const outcome = fault === null ? await act(draft.tx, wanted, seen) : refusal(wanted, seen.judged);
  if (seen.judged.event && known !== null)
    await noteAppearance(
      draft,
      { ...wanted, ticket: wanted.ticket.ticket },
      { ...seen.judged, operation: known },
    );
  await settle(draft.tx, seen.look);
  return outcome;
}

/** Who is refused for what it is gets that fault and that event, whatever its ticket says of the EID.
 * @throws Fault STATION_REVOKED, TICKET_CLOSED, TICKET_EID_REFUSED, NEST_OCCUPIED */
async function see(tx: FleetTransaction, { claim, report, gate, ticket }: Wanted): Promise<Seen> {
  // The controller comes first: its row is locked, and what is read of its nest behind it is not out of date.
  const [look, nest, ofEid, ofChip, disowned, order, revoked] = await Promise.all([
    lookAt(tx, report),
    tx.nest(report.controller, report.nest),
    tx.operationByEid(claim.eid),
    tx.operationByFingerprint(claim.seFingerprint),
    tx.disownedOperation(claim.eid, claim.seFingerprint),
    tx.ticket(ticket.ticket),
    tx.revokedStation(claim.station),
  ]);
  demandStation(revoked);
  const departed = look.left?.operation ?? null;
  const judged = judgeAppearance(claim, { ofEid, ofChip, disowned, departed });
  if (judged.outcome !== 'refuse') {
    demandOpen(order);
    checkEidRule(ticket, claim.eid);
    const operation = judged.operation?.operation ?? null;
    await demandNest(tx, { row: nest, report, operation, departed, numbered: gate === 'controller' });
  }
  return { judged, look, nest };
}

/** Takes what the order must give, and only then writes: a refusal of one item of a group undoes nothing.
 * @throws Fault for a refusal, QUOTA_EXHAUSTED, RATE_EXCEEDED, TICKET_CLOSED */
async function act(tx: FleetTransaction, wanted: Wanted, { judged, nest }: Seen): Promise<OperationRow> {
  const { outcome, operation: known } = judged;
  if (outcome === 'refuse') throw refusal(wanted, judged);
  if (outcome === 'answer' && known !== null) return known;
  const former = outcome === 'reserve' ? null : known;
  const row = former === null ? firstOf(wanted) : raisedOf(wanted, former);
  if (former === null || (await isForeign(tx, wanted, former)))
    await takeUnit(tx, wanted.ticket, row, wanted.nowMs);
  await Promise.all([
    former === null ? tx.insertOperation(row) : tx.updateOperation(row),
    occupy(tx, nest, wanted.report, row.operation),
  ]);
  return row;
}

/** Under another ticket than before a unit is one of that ticket too. */
async function isForeign(tx: FleetTransaction, { ticket }: Wanted, known: OperationRow): Promise<boolean> {
  return known.ticket !== ticket.ticket && !(await tx.hasUnit(ticket.ticket, known.operation));
}

function refusal({ claim }: Wanted, { fault, appearance, operation }: Judged): Fault {
  return new Fault(fault ?? 'UNEXPECTED', {
    appearance,
    eid: claim.eid.slice(-4),
    operation: operation?.operation ?? null,
  });
}

function raisedOf({ ticket, ticketHash, claim, at }: Wanted, known: OperationRow): OperationRow {
  return {
    ...known,
    ticket: ticket.ticket,
    ticketHash,
    station: claim.station,
    nest: claim.nest,
    attempt: claim.attempt,
    epoch: known.epoch + 1,
    attemptedAt: at,
  };
}

function firstOf({ ticket, ticketHash, claim, at, operation }: Wanted): OperationRow {
  return {
    operation,
    eid: claim.eid,
    seFingerprint: claim.seFingerprint,
    ticket: ticket.ticket,
    ticketHash,
    station: claim.station,
    nest: claim.nest,
    epoch: 1,
    attempt: claim.attempt,
    generation: ticket.generation,
    keyVersion: ticket.keyVersion,
    state: 'reserved',
    reservedAt: at,
    attemptedAt: at,
  };
}

/** @param operator who is in charge as it is answered */
function receiptOf(row: OperationRow, operator: string) {
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
    operator,
    reservedAt: row.attemptedAt,
  };
}
