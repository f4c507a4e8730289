/**
 * The gateway: the off-card side of SCP03 with every key inside the token. It hands out APDU lists, judges
 * every answer against its own nonce, and signs what was proved.
 */
import type { GatewayConfig } from '../../config/gateway.ts';
import { type Bytes, fromBase64 } from '../core/bytes.ts';
import type { Exchange } from '../core/card/apdu.ts';
import { cardProfile } from '../core/card/profile.ts';
import { Fault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { hashOf, open } from '../core/messages/envelope.ts';
import {
  type DialogueAnswer,
  dialogueContinueExchange,
  dialogueOpenExchange,
  type playedExchange,
} from '../core/messages/exchanges.ts';
import { type Reservation, reservation } from '../core/messages/receipts.ts';
import { checkEidRule, openTicket, type TicketPayload } from '../core/messages/ticket.ts';
import type { Signer } from '../core/ports.ts';
import type { TokenDescription } from '../core/token.ts';
import { uuidV4 } from '../core/uuid.ts';
import { type HandlerOf, serve } from '../exchange/responder.ts';
import { Dialogue } from './dialogue.ts';
import type { Job } from './personalization/job.ts';
import { personalize } from './personalization/procedure.ts';
import type { GatewayPorts } from './ports.ts';

interface UnderWay {
  readonly dialogue: Dialogue;
  readonly station: string;
  readonly operation: string;
  readonly epoch: number;
  cancelIdle: () => void;
}

/** Checks the token against the profile, then listens. @throws Fault KEY_POLICY_BROKEN, HSM_FAILED, CONFIG_INVALID */
export async function createGateway(config: GatewayConfig, ports: GatewayPorts): Promise<void> {
  const token = await ports.token.describe();
  if (token.softwareToken && config.profile === 'production')
    throw new Fault('KEY_POLICY_BROKEN', {
      why: 'a software token in the production profile',
      module: token.module,
    });
  const signer = await tokenSigner(ports, 'envelope');
  const fixed: Fixed = {
    token,
    receiptSigner: await tokenSigner(ports, 'confirmation'),
    issuerKeys: await issuerKeys(ports),
  };
  const dialogues = new Map<string, UnderWay>();
  const responder = { ...ports, signer };
  const addressed = ['gateway', config.gateway];
  await serve(
    dialogueOpenExchange,
    { addressedAs: addressed, topic: {}, share: 'gateways' },
    openHandler(config, ports, fixed, dialogues),
    responder,
  );
  await serve(
    dialogueContinueExchange,
    { addressedAs: addressed, topic: { instance: config.gateway } },
    continueHandler(config, ports, dialogues),
    responder,
  );
  ports.bus.onLink((link) => {
    if (link.up) ports.log.write('info', 'link-up');
    else ports.log.write('warn', 'link-down', { code: link.fault.code, ...link.fault.context });
  });
  ports.log.write('info', 'started', { gateway: config.gateway, softwareToken: token.softwareToken });
}

/** What the token said once and for all. */
interface Fixed {
  readonly token: TokenDescription;
  readonly receiptSigner: Signer;
  readonly issuerKeys: ReadonlyMap<string, Bytes>;
}

async function tokenSigner(ports: GatewayPorts, key: string): Promise<Signer> {
  const publicKey = await ports.token.publicKey(key);
  return { publicKey, sign: (message) => ports.token.sign(key, message) };
}

async function issuerKeys(ports: GatewayPorts): Promise<ReadonlyMap<string, Bytes>> {
  const keys = new Map<string, Bytes>();
  for (const issuer of ports.issuers) keys.set(issuer.name, await ports.token.publicKey(issuer.key));
  return keys;
}

function openHandler(
  config: GatewayConfig,
  ports: GatewayPorts,
  { token, receiptSigner, issuerKeys }: Fixed,
  dialogues: Map<string, UnderWay>,
): HandlerOf<typeof dialogueOpenExchange> {
  return async ({ station, nest, operation, epoch, body }) => {
    const ticket = openTicket(
      body.ticket,
      { station, nowMs: ports.clock.now() },
      ports.trusted,
      ports.crypto,
    );
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
    const profile = cardProfile(ticket.cardProfile);
    const issuer = ports.issuers.find((candidate) => candidate.name === ticket.issuer);
    if (profile === null || issuer === undefined)
      throw new Fault('TICKET_INVALID', { cardProfile: ticket.cardProfile, issuer: ticket.issuer });
    const before = await ports.ledger.conclusionOf(reserved.operation, reserved.epoch);
    if (before?.kind === 'confirmation') return { body: { kind: 'confirmation', confirmation: before.jws } };
    if (dialogues.size >= config.dialoguesMax) throw new Fault('BACKEND_BUSY', { dialogues: dialogues.size });
    const id = uuidV4(ports.entropy.bytes(16));
    await admit(config, ports, { id, station, reserved, ticket });
    const dialogue = new Dialogue({
      id,
      instance: config.gateway,
      operation: reserved.operation,
      epoch: reserved.epoch,
      crypto: ports.crypto,
    });
    const underWay: UnderWay = {
      dialogue,
      station,
      operation: reserved.operation,
      epoch: reserved.epoch,
      cancelIdle: () => undefined,
    };
    dialogues.set(id, underWay);
    ports.log.write('info', 'dialogue-opened', {
      dialogue: id,
      operation: reserved.operation,
      epoch: reserved.epoch,
    });
    const job = (line: Job['line']): Job => ({
      ports,
      config,
      line,
      dialogue: id,
      ticket,
      reserved,
      claimed: body.identity,
      profile,
      issuer,
      token,
      receiptSigner,
      issuerPublicKey: issuerKeys.get(issuer.name) ?? new Uint8Array(0),
    });
    const answer = await watched(config, ports, dialogues, underWay, () =>
      dialogue.begin((line) => personalize(job(line))),
    );
    return { body: answer };
  };
}

function continueHandler(
  config: GatewayConfig,
  ports: GatewayPorts,
  dialogues: Map<string, UnderWay>,
): HandlerOf<typeof dialogueContinueExchange> {
  return async ({ station, operation, epoch, step, body }) => {
    const underWay = dialogues.get(body.dialogue);
    if (
      underWay === undefined ||
      underWay.station !== station ||
      underWay.operation !== operation ||
      underWay.epoch !== epoch
    )
      throw new Fault('DIALOGUE_LOST', { step });
    const exchanges = body.exchanges.map(decoded);
    const answer = await watched(config, ports, dialogues, underWay, () =>
      underWay.dialogue.continue(step, { outcome: body.outcome, exchanges }),
    );
    return { body: answer };
  };
}

/** Runs one turn of a dialogue; afterwards it waits for the station, but not for ever. */
async function watched(
  config: GatewayConfig,
  ports: GatewayPorts,
  dialogues: Map<string, UnderWay>,
  underWay: UnderWay,
  turn: () => Promise<DialogueAnswer>,
): Promise<DialogueAnswer> {
  underWay.cancelIdle();
  const { dialogue } = underWay;
  try {
    const answer = await turn();
    if (!dialogue.ended)
      underWay.cancelIdle = ports.clock.after(config.dialogueIdleMs, () => {
        dialogues.delete(dialogue.id);
        dialogue.abandon();
      });
    return answer;
  } finally {
    if (dialogue.ended) {
      dialogues.delete(dialogue.id);
      ports.log.write('info', 'dialogue-ended', { dialogue: dialogue.id, operation: underWay.operation });
    }
  }
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

/** @throws Fault QUOTA_EXHAUSTED, RESERVATION_STALE, ATTEMPTS_EXHAUSTED, LEDGER_UNAVAILABLE */
async function admit(
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

function decoded(exchange: (typeof playedExchange)['_output']): Exchange {
  return {
    kind: exchange.kind,
    command: fromBase64(exchange.command),
    answer: fromBase64(exchange.answer),
    wire: exchange.wire.map((frame) => ({
      command: fromBase64(frame.command),
      answer: fromBase64(frame.answer),
    })),
  };
}
