/** Closes a ticket: counts that agree, approved by officers, as one leaf; from then on nothing is reserved under it. */
import type { z } from 'zod';
import type { BackendConfig } from '../../config/backend.ts';
import { Fault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { fittingLeafOf, leafOf } from '../core/log/leaf.ts';
import { type Approval, demandApprovals } from '../core/messages/approval.ts';
import {
  type CloseOutDocument,
  closeOutHash,
  type closeTicketInstruction,
  type OpenedCounts,
  openCounts,
} from '../core/messages/close-out.ts';
import { hashOf } from '../core/messages/envelope.ts';
import { type CloseOut, closeOutOf } from '../core/orders/close-out.ts';
import type { FleetTransaction } from '../core/store/fleet.ts';
import type { TicketUnit } from '../core/store/orders.ts';
import type { BackendPorts } from './ports.ts';
import type { Draft, Sequencer } from './sequencer.ts';

type Asked = z.output<typeof closeTicketInstruction.body>;
type Answer = z.input<typeof closeTicketInstruction.answer>;

const UNITS_PER_READ = 5_000;
/** Units that are named one by one. */
const NAMED_MAX = 1000;

interface Closing extends Asked {
  readonly gateway: OpenedCounts;
  readonly nowMs: number;
}

/** @throws Fault CLOSE_OUT_REFUSED, COUNTS_DIFFER, TICKET_CLOSED, APPROVALS_MISSING, APPROVAL_REFUSED, ENVELOPE_INVALID */
export async function closeTicket(
  asked: Asked,
  config: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
): Promise<Answer> {
  const { store, clock, trusted, crypto } = ports;
  const nowMs = clock.now();
  const gateway = openCounts(asked.ticket, asked.counts, nowMs, trusted, crypto);
  const closing: Closing = { ...asked, gateway, nowMs };
  if (asked.dryRun) {
    const found = await store.transaction((tx) => compare(tx, closing));
    return answerOf(found, null, ports);
  }
  const { value } = await sequencer.add((draft) => close(draft, closing, config, ports), false);
  return value;
}

/** What stands in the leaf beside the document that was approved. */
interface Evidence {
  readonly subject: string;
  readonly given: readonly Approval[];
  /** SHA-256 of each statement of the gateway. */
  readonly statements: readonly string[];
  readonly gateway: OpenedCounts;
}

interface Compared {
  readonly document: CloseOutDocument;
  readonly differences: CloseOut['differences'];
}

async function close(
  draft: Draft,
  closing: Closing,
  { ticketQuorum: quorum }: BackendConfig,
  ports: BackendPorts,
): Promise<Answer> {
  const { ticket, approvals, counts, nowMs } = closing;
  const { trusted, crypto } = ports;
  // Whoever takes a unit of this ticket waits from here on.
  await draft.tx.lockTicket(ticket);
  const compared = await compare(draft.tx, closing);
  const [first] = compared.differences;
  if (first !== undefined)
    throw new Fault('COUNTS_DIFFER', { ticket, differences: compared.differences.length, ...first });
  const subject = closeOutHash(compared.document, crypto);
  const demand = { purpose: 'close-out', subject, quorum, nowMs } as const;
  const given = demandApprovals(approvals, demand, trusted, crypto);
  const at = instantOf(nowMs);
  await draft.tx.closeTicket(ticket, at);
  await noteGatewayRefusals(draft, closing, at);
  const statements = counts.map((jws) => hashOf(jws, crypto));
  const leafIndex = draft.append(
    fittingLeafOf(
      'close-out',
      `close-out/${ticket}`,
      at,
      bodyOf(compared.document, { subject, given, statements, gateway: closing.gateway }),
      crypto.sha256,
    ),
  );
  return answerOf(compared, leafIndex, ports);
}

/** @throws Fault CLOSE_OUT_REFUSED, TICKET_CLOSED */
async function compare(tx: FleetTransaction, { ticket, gateway }: Closing): Promise<Compared> {
  const row = await tx.ticket(ticket);
  if (row === null)
    throw new Fault('CLOSE_OUT_REFUSED', { ticket, why: 'no unit was ever reserved under it' });
  if (row.closedAt !== null) throw new Fault('TICKET_CLOSED', { ticket, closedAt: row.closedAt });
  const { counts, open, quarantined, differences } = closeOutOf(
    row.taken,
    await unitsOf(tx, ticket),
    gateway.units,
    ticket,
  );
  if (open.length > NAMED_MAX || quarantined.length > NAMED_MAX)
    throw new Fault('CLOSE_OUT_REFUSED', { ticket, why: 'too many units are still open or in quarantine' });
  return {
    document: { closeOut: ticket, counts, open: [...open], quarantined: [...quarantined] },
    differences,
  };
}

async function unitsOf(tx: FleetTransaction, ticket: string): Promise<readonly TicketUnit[]> {
  const units: TicketUnit[] = [];
  for (;;) {
    const page = await tx.ticketUnits(ticket, units.at(-1)?.operation ?? '', UNITS_PER_READ);
    units.push(...page);
    if (page.length < UNITS_PER_READ) return units;
  }
}

/** What the gateways refused under this ticket becomes a part of the log here. */
async function noteGatewayRefusals(draft: Draft, { gateway }: Closing, at: string): Promise<void> {
  for (const { key, entry, at: refusedAt } of gateway.refusals) {
    const leafKey = `gateway-${key}`;
    if (draft.has(leafKey) || (await draft.tx.leafByKey(leafKey)) !== null) continue;
    draft.append(leafOf('refusal', leafKey, at, { by: 'gateway', refusedAt, refused: entry }));
  }
}

function bodyOf(
  { counts, open, quarantined, closeOut: ticket }: CloseOutDocument,
  { subject, given, statements, gateway }: Evidence,
) {
  return {
    ticket,
    subject,
    counts: { ...counts, confirmations: { ...counts.confirmations } },
    open: open.map((unit) => ({ ...unit })),
    quarantined: quarantined.map((unit) => ({ ...unit })),
    statements: [...statements],
    refusedByGateway: Object.fromEntries(gateway.refused.map(({ code, count }) => [code, count])),
    // Of more refusals than have leaves of their own: no ledger can forget or change one after this.
    refusalsHash: gateway.refusalsHash,
    approvals: given.map(({ jws }) => jws),
  };
}

function answerOf(
  { document, differences }: Compared,
  leafIndex: number | null,
  { crypto }: BackendPorts,
): Answer {
  return {
    document,
    subject: closeOutHash(document, crypto),
    differences: differences.slice(0, NAMED_MAX).map((difference) => ({ ...difference })),
    leafIndex,
  };
}
