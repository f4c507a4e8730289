/** Reserves an EID before any key is injected: quota, uniqueness, and what a second appearance means. */
import type { BackendConfig } from '../../config/backend.ts';
import { Fault, isFault } from '../core/faults.ts';
import type { ControllerReport } from '../core/gate/release.ts';
import { instantOf } from '../core/instant.ts';
import { hashOf, seal } from '../core/messages/envelope.ts';
import type { reserveExchange } from '../core/messages/exchanges.ts';
import { reservation } from '../core/messages/receipts.ts';
import { checkEidRule, openApprovedTicket, type TicketPayload } from '../core/messages/ticket.ts';
import { type Claim, type Judged, judgeAppearance } from '../core/operation/appearance.ts';
import type { FleetTransaction, OperationRow } from '../core/store/fleet.ts';
import { uuidV7 } from '../core/uuid.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import { noteAppearance } from './appearances.ts';
import { type ControllerLook, checkGate, lookAt, settle, verifyReport } from './controllers.ts';
import type { BackendPorts } from './ports.ts';
import type { Draft, Sequencer } from './sequencer.ts';

export function reserveHandler(
  { ticketQuorum: quorum }: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
): HandlerOf<typeof reserveExchange> {
  return async ({ station, nest, body }) => {
    const now = ports.clock.now();
    const use = { station, nowMs: now, quorum };
    const ticket = openApprovedTicket(body.ticket, use, ports.trusted, ports.crypto);
    checkGate(verifyReport(body.report, station, ports), ticket);
    const { eid, seFingerprint } = body.identity;
    const wanted: Wanted = {
      ticket,
      ticketHash: hashOf(body.ticket, ports.crypto),
      claim: { eid, seFingerprint, attempt: body.attempt, station, nest },
      report: body.report,
      at: instantOf(now),
      operation: uuidV7(now, ports.entropy.bytes(10)),
    };
    const row =
      (await ports.store.transaction((tx) => reserveQuietly(tx, wanted, sequencer))) ??
      (await reserveAsEvent(sequencer, wanted));
    const receipt = await seal(reservation, receiptOf(row), ports.signer, ports.crypto);
    return { body: { reservation: receipt }, binding: { operation: row.operation, epoch: row.epoch } };
  };
}

interface Wanted {
  readonly ticket: TicketPayload;
  readonly ticketHash: string;
  readonly claim: Claim;
  /** Verified. */
  readonly report: ControllerReport;
  readonly at: string;
  /** Used if this EID has none yet. */
  readonly operation: string;
}

interface Seen {
  readonly judged: Judged;
  readonly look: ControllerLook;
}

/** Null, and nothing is written, for an appearance that is an event: the log takes part in those.
 * @throws Fault UNIT_RELEASED_BEFORE, UNIT_REJECTED_BEFORE, QUOTA_EXHAUSTED, LOG_ROLLED_BACK */
async function reserveQuietly(
  tx: FleetTransaction,
  wanted: Wanted,
  sequencer: Sequencer,
): Promise<OperationRow | null> {
  const [seen, head] = await Promise.all([see(tx, wanted), tx.readHead()]);
  sequencer.demandWhole(head);
  if (seen.judged.event) return null;
  const [row] = await Promise.all([act(tx, wanted, seen.judged), settle(tx, seen.look)]);
  return row;
}

/** Decides again under the lock of the log, and answers after leaf and outcome are committed together.
 * @throws Fault UNIT_CLONED, UNIT_RELABELLED, UNIT_RELEASED_BEFORE, UNIT_REJECTED_BEFORE, QUOTA_EXHAUSTED */
async function reserveAsEvent(sequencer: Sequencer, wanted: Wanted): Promise<OperationRow> {
  const { value } = await sequencer.add((draft) => reserveAndNote(draft, wanted), true);
  if (isFault(value)) throw value;
  return value;
}

/** A refusal is a value here: thrown, it would take its leaf with it. */
async function reserveAndNote(draft: Draft, wanted: Wanted): Promise<OperationRow | Fault> {
  const { judged, look } = await see(draft.tx, wanted);
  const { operation: known, fault } = judged;
  if (judged.event && known !== null)
    await noteAppearance(draft, { ...wanted, ticket: wanted.ticket.ticket }, { ...judged, operation: known });
  const outcome = fault === null ? await act(draft.tx, wanted, judged) : refusal(wanted, judged);
  await settle(draft.tx, look);
  return outcome;
}

/** Who is refused for what it is gets that fault and that event, whatever its ticket says of the EID.
 * @throws Fault TICKET_EID_REFUSED */
async function see(tx: FleetTransaction, { claim, report, ticket }: Wanted): Promise<Seen> {
  const [look, ofEid, ofChip, disowned] = await Promise.all([
    lookAt(tx, report),
    tx.operationByEid(claim.eid),
    tx.operationByFingerprint(claim.seFingerprint),
    tx.disownedOperation(claim.eid, claim.seFingerprint),
  ]);
  const departed = look.left?.operation ?? null;
  const judged = judgeAppearance(claim, { ofEid, ofChip, disowned, departed });
  if (judged.outcome !== 'refuse') checkEidRule(ticket, claim.eid);
  return { judged, look };
}

/** @throws Fault for a refusal, QUOTA_EXHAUSTED */
async function act(tx: FleetTransaction, wanted: Wanted, judged: Judged): Promise<OperationRow> {
  const { outcome, operation: known } = judged;
  if (outcome === 'refuse') throw refusal(wanted, judged);
  if (outcome === 'reserve' || known === null) return reserveFirst(tx, wanted);
  return outcome === 'raise' ? raiseEpoch(tx, wanted, known) : known;
}

function refusal({ claim }: Wanted, { fault, appearance, operation }: Judged): Fault {
  return new Fault(fault ?? 'UNEXPECTED', {
    appearance,
    eid: claim.eid.slice(-4),
    operation: operation?.operation ?? null,
  });
}

async function raiseEpoch(tx: FleetTransaction, wanted: Wanted, known: OperationRow): Promise<OperationRow> {
  const { ticket, ticketHash, claim } = wanted;
  const resumed: OperationRow = {
    ...known,
    ticket: ticket.ticket,
    ticketHash,
    station: claim.station,
    nest: claim.nest,
    attempt: claim.attempt,
    epoch: known.epoch + 1,
    attemptedAt: wanted.at,
  };
  await tx.updateOperation(resumed);
  return resumed;
}

async function reserveFirst(tx: FleetTransaction, wanted: Wanted): Promise<OperationRow> {
  const { ticket, claim } = wanted;
  if (!(await tx.takeQuota(ticket.ticket, ticket.quota)))
    throw new Fault('QUOTA_EXHAUSTED', { ticket: ticket.ticket, quota: ticket.quota });
  const row: OperationRow = {
    operation: wanted.operation,
    eid: claim.eid,
    seFingerprint: claim.seFingerprint,
    ticket: ticket.ticket,
    ticketHash: wanted.ticketHash,
    station: claim.station,
    nest: claim.nest,
    epoch: 1,
    attempt: claim.attempt,
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
