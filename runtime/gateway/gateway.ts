/**
 * The gateway: the off-card side of SCP03 with every key inside the token. It hands out APDU lists, judges
 * every answer against its own nonce, and signs what was proved.
 */
import type { GatewayConfig } from '../../config/gateway.ts';
import { fromBase64 } from '../core/bytes.ts';
import { type Exchange, exchangeOf } from '../core/card/apdu.ts';
import { Fault } from '../core/faults.ts';
import {
  type DialogueAnswer,
  dialogueContinueExchange,
  dialogueOpenExchange,
  type playedExchange,
} from '../core/messages/exchanges.ts';
import { createSecrecy, type Secrecy } from '../core/messages/secrecy.ts';
import type { Signer } from '../core/ports.ts';
import type { TokenDescription } from '../core/token.ts';
import { uuidV4 } from '../core/uuid.ts';
import { type HandlerOf, serve } from '../exchange/responder.ts';
import { admit, demandOwnTransportKeys, judgeOpening } from './admission.ts';
import { Dialogue } from './dialogue.ts';
import { crlInstructions } from './instructions/crl.ts';
import { issuedInstructions } from './instructions/issued.ts';
import { orderInstructions } from './instructions/orders.ts';
import { stationInstructions } from './instructions/stations.ts';
import { createIssuance, type Issuance } from './issuance.ts';
import { type Issuers, openIssuers } from './issuers.ts';
import { createEvidence } from './personalization/evidence.ts';
import type { Job } from './personalization/job.ts';
import { personalize } from './personalization/procedure.ts';
import type { GatewayPorts } from './ports.ts';
import { keeping } from './refusals.ts';
import { readStationList } from './station-list.ts';
import { wholeLedger } from './whole-ledger.ts';

interface UnderWay {
  readonly dialogue: Dialogue;
  readonly station: string;
  readonly operation: string;
  readonly epoch: number;
  readonly secrecy: Secrecy;
  /** The station's, that lists are encrypted to. */
  readonly listKey: string;
  cancelIdle: () => void;
}

/** Checks the token against the profile, then listens. @throws Fault KEY_POLICY_BROKEN, HSM_FAILED, CONFIG_INVALID,
 * TRANSPORT_KEYS_KNOWN, ISSUER_UNFIT */
export async function createGateway(config: GatewayConfig, given: GatewayPorts): Promise<void> {
  demandOwnTransportKeys(config, config.profile);
  const ports = { ...given, ledger: wholeLedger(given.ledger, given.marks) };
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
    issuers: await openIssuers(config, ports),
    issuance: createIssuance(ports),
  };
  const dialogues = new Map<string, UnderWay>();
  const known = await readStationList(ports);
  const responder = { ...ports, signer };
  const addressed = ['gateway', config.gateway];
  const begin = openHandler(config, ports, fixed, dialogues);
  await serve(
    dialogueOpenExchange,
    { addressedAs: addressed, topic: {}, share: 'gateways', keys: known },
    keeping(async (request, sent) => {
      await known.demand(request.station);
      return begin(request, sent);
    }, ports),
    responder,
  );
  await serve(
    dialogueContinueExchange,
    {
      ...{ addressedAs: addressed, topic: { instance: config.gateway } },
      ...{ demand: known.demand, keys: known },
    },
    continueHandler(config, ports, dialogues),
    responder,
  );
  ports.bus.onLink((link) => {
    if (link.up) ports.log.write('info', 'link-up');
    else ports.log.write('warn', 'link-down', { code: link.fault.code, ...link.fault.context });
  });
  const abandonOf = (station: string): void => {
    for (const underWay of dialogues.values()) if (underWay.station === station) underWay.dialogue.abandon();
  };
  await ports.instructions.serve([
    ...(await crlInstructions(config, ports, fixed.issuers)),
    ...stationInstructions(known, abandonOf),
    ...orderInstructions(config, ports, signer),
    ...issuedInstructions(config, ports, signer),
  ]);
  ports.log.write('info', 'started', { gateway: config.gateway, softwareToken: token.softwareToken });
}

/** What the token said once and for all. */
interface Fixed {
  readonly token: TokenDescription;
  readonly receiptSigner: Signer;
  readonly issuers: Issuers;
  readonly issuance: Issuance;
}

async function tokenSigner(ports: GatewayPorts, key: string): Promise<Signer> {
  const publicKey = await ports.token.publicKey(key);
  return { publicKey, sign: (message) => ports.token.sign(key, message) };
}

function openHandler(
  config: GatewayConfig,
  ports: GatewayPorts,
  { token, receiptSigner, issuers, issuance }: Fixed,
  dialogues: Map<string, UnderWay>,
): HandlerOf<typeof dialogueOpenExchange> {
  return async (request) => {
    const { station, body } = request;
    const { ticket, reserved, profile, issuer } = judgeOpening(request, token, config, {
      ...ports,
      ready: issuers,
    });
    if (dialogues.size >= config.dialoguesMax) throw new Fault('BACKEND_BUSY', { dialogues: dialogues.size });
    const id = uuidV4(ports.entropy.bytes(16));
    const secrecy = createSecrecy(ports);
    secrecy.prepare(body.listKey);
    await admit(config, ports, { id, station, reserved, ticket });
    for (const older of dialogues.values())
      if (older.operation === reserved.operation && older.epoch < reserved.epoch) older.dialogue.abandon();
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
      secrecy,
      listKey: body.listKey,
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
      evidence: createEvidence(),
      dialogue: id,
      ticket,
      reserved,
      claimed: body.identity,
      profile,
      issuer,
      token,
      receiptSigner,
      issuance,
    });
    const answer = await watched(config, ports, dialogues, underWay, () =>
      dialogue.begin((line) => personalize(job(line))),
    );
    return reply(underWay, 1, answer);
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
    const place = { dialogue: body.dialogue, step };
    const exchanges = underWay.secrecy.decryptAnswers(place, body.answers).map(decoded);
    const answer = await watched(config, ports, dialogues, underWay, () =>
      underWay.dialogue.continue(step, { outcome: body.outcome, exchanges }),
    );
    return reply(underWay, step + 1, answer);
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

/** What the dialogue says, its list encrypted as number `step`. */
function reply(
  { dialogue, secrecy, listKey }: UnderWay,
  step: number,
  answer: DialogueAnswer,
): Awaited<ReturnType<HandlerOf<typeof dialogueOpenExchange>>> {
  const afterwards = (): void => {
    dialogue.left();
    if (!dialogue.ended) secrecy.prepare(listKey);
  };
  if (answer.kind !== 'list') return { body: answer, afterwards };
  const list = secrecy.encryptList({ dialogue: answer.dialogue, step }, listKey, answer.list);
  return { body: { ...answer, answerKey: secrecy.key, list }, afterwards };
}

function decoded({ kind, wire }: (typeof playedExchange)['_output']): Exchange {
  return exchangeOf(
    kind,
    wire.map((frame) => ({ command: fromBase64(frame.command), answer: fromBase64(frame.answer) })),
  );
}
