/**
 * The ticket: a production order that M of N officers approved, signed by the authority that owns the product.
 *
 * Officers approve the SHA-256 of the order's canonical JSON; the authority signs order and approvals together.
 * Whoever acts on a ticket judges its approvals by a quorum of its own setting, as they stood when it was signed.
 */
import { z } from 'zod';
import { fromText, toHex } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { Fault } from '../faults.ts';
import { instantMs } from '../instant.ts';
import type { Crypto } from '../ports.ts';
import { demandApprovals, type Quorum } from './approval.ts';
import { covers, eidRule } from './eid-rule.ts';
import { open, statement, type TrustedKey } from './envelope.ts';
import { generation, instant, jws, keyVersion, partyName } from './fields.ts';

/** What officers approve. */
export const orderForm = z
  .strictObject({
    ticket: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/)
      .meta({ description: 'Number of the production order.' }),
    product: z.string().min(1).max(64),
    batch: z.string().regex(/^[A-Za-z0-9-]{1,32}$/),
    productionLine: z.string().min(1).max(64),
    issuer: partyName.meta({ description: 'Issuing intermediate.' }),
    cardProfile: z.string().min(1).max(64),
    eidRule,
    quota: z.int().min(1).max(100_000_000).meta({ description: 'Most units.' }),
    unitsPerHour: z
      .int()
      .min(1)
      .max(3_600_000)
      .meta({ description: 'Takt of all stations together; a fifth more is let through.' }),
    stations: z.array(partyName).min(1).max(256),
    generation,
    keyVersion: keyVersion.meta({ description: 'Version that the fleet’s key set gets on the chip.' }),
    profile: z.enum(['production', 'pilot', 'laboratory']).meta({
      description: 'Only pilot and laboratory allow a software token.',
    }),
    notBefore: instant,
    notAfter: instant,
  })
  .refine(({ notBefore, notAfter }) => instantMs(notBefore) < instantMs(notAfter), {
    error: 'ends before it begins',
    path: ['notAfter'],
  });
export type Order = z.output<typeof orderForm>;

export const ticketPayload = z.strictObject({
  ...orderForm.shape,
  signedAt: instant.meta({ description: 'When the authority signed; the approvals counted then.' }),
  approvals: z.array(jws).max(16).meta({ description: 'Approvals of the order, by its hash.' }),
});
export type TicketPayload = z.output<typeof ticketPayload>;

export const ticketStatement = statement({
  typ: 'holdfast/ticket+v1',
  signedBy: 'ticket-authority',
  payload: ticketPayload,
});

/** How far the clock of the authority may be ahead. */
const CLOCKS_MS = 300_000;

/** SHA-256 of the order's canonical JSON, hexadecimal: what officers sign. A ticket's is that of its order. */
export function orderHash(order: Order | TicketPayload, crypto: Pick<Crypto, 'sha256'>): string {
  return toHex(crypto.sha256(fromText(canonicalJson(orderOf(order)))));
}

export function orderOf(given: Order | TicketPayload): Order {
  const { signedAt: _, approvals: __, ...order } = { signedAt: null, approvals: null, ...given };
  return order;
}

/** Verifies a ticket for a station at a moment (milliseconds since 1970, of the judging program); its approvals are
 * judged by who acts on it. @throws Fault TICKET_INVALID */
export function openTicket(
  jws: string,
  use: { readonly station: string; readonly nowMs: number },
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): TicketPayload {
  const payload = readTicket(jws, trusted, crypto);
  const { ticket } = payload;
  if (!payload.stations.includes(use.station))
    throw new Fault('TICKET_INVALID', { ticket, why: 'names other stations' });
  if (use.nowMs < instantMs(payload.notBefore) || use.nowMs > instantMs(payload.notAfter))
    throw new Fault('TICKET_INVALID', { ticket, why: 'outside its validity' });
  if (instantMs(payload.signedAt) > use.nowMs + CLOCKS_MS)
    throw new Fault('TICKET_INVALID', { ticket, why: 'signed later than now' });
  return payload;
}

/** As `openTicket`, and the quorum must have approved the order.
 * @throws Fault TICKET_INVALID, APPROVALS_MISSING, APPROVAL_REFUSED */
export function openApprovedTicket(
  jws: string,
  use: { readonly station: string; readonly nowMs: number; readonly quorum: Quorum },
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): TicketPayload {
  const payload = openTicket(jws, use, trusted, crypto);
  demandApproved(payload, use.quorum, trusted, crypto);
  return payload;
}

/** Tickets that were judged before, with the quorums that judged them: their units cost no signature more. The
 * payload is the same object for as long as the envelope remembers it. */
const approved = new WeakMap<TicketPayload, WeakSet<Quorum>>();

/** @throws Fault APPROVALS_MISSING, APPROVAL_REFUSED */
export function demandApproved(
  payload: TicketPayload,
  quorum: Quorum,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): void {
  const judgedBy = approved.get(payload) ?? new WeakSet<Quorum>();
  if (judgedBy.has(quorum)) return;
  const demand = {
    purpose: 'ticket',
    subject: orderHash(payload, crypto),
    quorum,
    nowMs: instantMs(payload.signedAt),
  } as const;
  demandApprovals(payload.approvals, demand, trusted, crypto);
  approved.set(payload, judgedBy.add(quorum));
}

/** Only the authority's signature is judged. @throws Fault TICKET_INVALID */
export function readTicket(jws: string, trusted: readonly TrustedKey[], crypto: Crypto): TicketPayload {
  try {
    return open(ticketStatement, jws, trusted, crypto).payload;
  } catch (error) {
    throw new Fault('TICKET_INVALID', { why: 'not signed by the ticket authority' }, { cause: error });
  }
}

/** @throws Fault TICKET_EID_REFUSED */
export function checkEidRule(ticket: TicketPayload, eid: string): void {
  if (!covers(ticket.eidRule, eid))
    throw new Fault('TICKET_EID_REFUSED', { ticket: ticket.ticket, eid: eid.slice(-4) });
}
