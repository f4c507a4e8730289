/** Who may open a dialogue: ticket, reservation and unit are judged, then the ledger admits it, before any key is used. */
import type { GatewayConfig } from '../../config/gateway.ts';
import { type CardProfile, cardProfile } from '../core/card/profile.ts';
import { Fault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { hashOf, open } from '../core/messages/envelope.ts';
import type { dialogueOpenExchange } from '../core/messages/exchanges.ts';
import { type Reservation, reservation } from '../core/messages/receipts.ts';
import { checkEidRule, openApprovedTicket, type TicketPayload } from '../core/messages/ticket.ts';
import type { TokenDescription } from '../core/token.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import type { Issuers, ReadyIssuer } from './issuers.ts';
import type { GatewayPorts } from './ports.ts';

/** What a dialogue may work on. */
export interface Opening {
  readonly ticket: TicketPayload;
  readonly reserved: Reservation;
  readonly profile: CardProfile;
  readonly issuer: ReadyIssuer;
}

/** @throws Fault TICKET_INVALID, APPROVALS_MISSING, APPROVAL_REFUSED, TICKET_EID_REFUSED, RESERVATION_STALE, CARD_CHANGED, ENVELOPE_INVALID,
 * TRANSPORT_KEYS_KNOWN */
export function judgeOpening(
  { station, nest, operation, epoch, body }: Parameters<HandlerOf<typeof dialogueOpenExchange>>[0],
  token: TokenDescription,
  config: GatewayConfig,
  ports: GatewayPorts & { readonly ready: Issuers },
): Opening {
  const use = { station, nowMs: ports.clock.now(), quorum: config.ticketQuorum };
  const ticket = openApprovedTicket(body.ticket, use, ports.trusted, ports.crypto);
  const reserved = open(reservation, body.reservation, ports.trusted, ports.crypto).payload;
  checkReservation(reserved, ticket, hashOf(body.ticket, ports.crypto), {
    station,
    nest,
    operation,
    epoch,
  });
  if (body.identity.eid !== reserved.eid || body.identity.seFingerprint !== reserved.seFingerprint)
    throw new Fault('CARD_CHANGED', { eid: body.identity.eid.slice(-4) });
  if (token.softwareToken && ticket.profile === 'production')
    throw new Fault('TICKET_INVALID', { ticket: ticket.ticket, why: 'production needs a hardware token' });
  demandOwnTransportKeys(config, ticket.profile);
  const profile = cardProfile(ticket.cardProfile);
  const issuer = ports.ready.get(ticket.issuer);
  if (profile === null || issuer === undefined)
    throw new Fault('TICKET_INVALID', { cardProfile: ticket.cardProfile, issuer: ticket.issuer });
  return { ticket, reserved, profile, issuer };
}

/**
 * Who knows a chip's transport keys can play that chip and obtain its keys: a laboratory's matter at most.
 * @param profile of the gateway or of a ticket
 * @throws Fault TRANSPORT_KEYS_KNOWN
 */
export function demandOwnTransportKeys(
  { transport }: GatewayConfig,
  profile: TicketPayload['profile'],
): void {
  if (transport.class !== 'diversified' && profile !== 'laboratory')
    throw new Fault('TRANSPORT_KEYS_KNOWN', { class: transport.class, profile });
}

/** @throws Fault QUOTA_EXHAUSTED, RESERVATION_STALE, ATTEMPTS_EXHAUSTED, LEDGER_UNAVAILABLE */
export async function admit(
  config: GatewayConfig,
  ports: GatewayPorts,
  of: { id: string; station: string; reserved: Reservation; ticket: TicketPayload },
): Promise<void> {
  const { operation, epoch, eid, seFingerprint } = of.reserved;
  const admission = await ports.ledger.admit(
    {
      dialogue: of.id,
      operation,
      epoch,
      eid,
      seFingerprint,
      ticket: of.ticket.ticket,
      station: of.station,
      instance: config.gateway,
      openedAt: instantOf(ports.clock.now()),
    },
    { quota: of.ticket.quota, attemptsMax: config.attemptsMax },
  );
  if (admission.admitted) return;
  const codes = {
    quota: 'QUOTA_EXHAUSTED',
    stale: 'RESERVATION_STALE',
    attempts: 'ATTEMPTS_EXHAUSTED',
  } as const;
  throw new Fault(codes[admission.why], { ticket: of.ticket.ticket, operation, epoch });
}

/** @throws Fault RESERVATION_STALE, TICKET_INVALID, TICKET_EID_REFUSED */
function checkReservation(
  reserved: Reservation,
  ticket: TicketPayload,
  ticketHash: string,
  asked: { station: string; nest: string; operation: string | null; epoch: number | null },
): void {
  if (
    reserved.station !== asked.station ||
    reserved.nest !== asked.nest ||
    reserved.operation !== asked.operation ||
    reserved.epoch !== asked.epoch
  )
    throw new Fault('RESERVATION_STALE', {
      operation: reserved.operation,
      why: 'reserved for another station or epoch',
    });
  if (reserved.ticketHash !== ticketHash)
    throw new Fault('TICKET_INVALID', { ticket: ticket.ticket, why: 'reserved under another ticket' });
  checkEidRule(ticket, reserved.eid);
}
