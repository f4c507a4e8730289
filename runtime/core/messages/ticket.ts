/** The ticket: a production order, signed by the authority that owns the product. */
import { z } from 'zod';
import { Fault } from '../faults.ts';
import { instantMs } from '../instant.ts';
import type { Crypto } from '../ports.ts';
import { open, statement, type TrustedKey } from './envelope.ts';
import { generation, instant, keyVersion, partyName } from './fields.ts';

const digits = z
  .string()
  .regex(/^\d{30}$/)
  .meta({ description: 'First 30 digits of an EID, without check digits.' });

export const ticketPayload = z.strictObject({
  ticket: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/)
    .meta({ description: 'Number of the production order.' }),
  product: z.string().max(64),
  batch: z.string().regex(/^[A-Za-z0-9-]{1,32}$/),
  productionLine: z.string().max(64),
  issuer: partyName.meta({ description: 'Issuing intermediate.' }),
  cardProfile: z.string().max(64),
  eidRule: z
    .strictObject({ from: digits, to: digits })
    .meta({ description: 'Range of EIDs, both ends included.' }),
  quota: z.int().min(1).meta({ description: 'Most units.' }),
  stations: z.array(partyName).min(1).max(256),
  generation,
  keyVersion: keyVersion.meta({ description: 'Version that the fleet’s key set gets on the chip.' }),
  profile: z.enum(['production', 'pilot', 'laboratory']).meta({
    description: 'Only pilot and laboratory allow a software token.',
  }),
  notBefore: instant,
  notAfter: instant,
});
export type TicketPayload = z.output<typeof ticketPayload>;

export const ticketStatement = statement({
  typ: 'holdfast/ticket+v1',
  signedBy: 'ticket-authority',
  payload: ticketPayload,
});

/** Verifies a ticket for a station at a moment (milliseconds since 1970, of the judging program).
 * @throws Fault TICKET_INVALID */
export function openTicket(
  jws: string,
  use: { readonly station: string; readonly nowMs: number },
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): TicketPayload {
  const { payload } = openedOrRefused(jws, trusted, crypto);
  if (!payload.stations.includes(use.station))
    throw new Fault('TICKET_INVALID', { ticket: payload.ticket, why: 'names other stations' });
  if (use.nowMs < instantMs(payload.notBefore) || use.nowMs > instantMs(payload.notAfter))
    throw new Fault('TICKET_INVALID', { ticket: payload.ticket, why: 'outside its validity' });
  return payload;
}

function openedOrRefused(jws: string, trusted: readonly TrustedKey[], crypto: Crypto) {
  try {
    return open(ticketStatement, jws, trusted, crypto);
  } catch (error) {
    throw new Fault('TICKET_INVALID', { why: 'not signed by the ticket authority' }, { cause: error });
  }
}

/** @throws Fault TICKET_EID_REFUSED */
export function checkEidRule(ticket: TicketPayload, eid: string): void {
  const first = eid.slice(0, 30);
  if (first < ticket.eidRule.from || first > ticket.eidRule.to)
    throw new Fault('TICKET_EID_REFUSED', { ticket: ticket.ticket, eid: eid.slice(-4) });
}
