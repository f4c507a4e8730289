/** Manners of a broker that has keys: its own, those of parties with another role, and of a station that it took. */
import { privateKeyFrom } from '../../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../../drivers/entropy/simulated.ts';
import { createSoftwareSigner } from '../../../drivers/token/file-signer.ts';
import { fromText, toText } from '../../../runtime/core/bytes.ts';
import { canonicalJson } from '../../../runtime/core/canonical-json.ts';
import type { FaultCode } from '../../../runtime/core/faults.ts';
import { filterOf, parametersIn } from '../../../runtime/core/messages/channel.ts';
import { hashOf, peekId, seal } from '../../../runtime/core/messages/envelope.ts';
import type { ExchangeKind } from '../../../runtime/core/messages/exchange.ts';
import {
  eventsExchange,
  exchanges,
  registerExchange,
  reserveExchange,
} from '../../../runtime/core/messages/exchanges.ts';
import type { Signer } from '../../../runtime/core/ports.ts';
import type { SimulatedParties } from '../parties.ts';
import { type Manner, oneOf, pass } from './manner.ts';
import type { Hands, Message, Treatment } from './middle.ts';

/** What is said of a unit that is to be lost: the first condemns it, the others keep it. */
const SLANDERS: readonly FaultCode[] = ['CARD_NOT_OURS', 'UNIT_CLONED', 'ATTEMPTS_EXHAUSTED'];
/** An acknowledgement of more than any journal holds. */
const ALL_OF_IT = 10_000;
const ROOTED = { name: 'station-2', index: 1 } as const;

/** Answers each request at once, before whom it is for, with the right nonce and hash. */
const answersFirst = (signersOf: (kind: ExchangeKind) => readonly Signer[]): Treatment => ({
  treat: (message, hands) => {
    const kind = kindOf(message.topic);
    if (kind === null) return pass(message, hands);
    const signer = oneOf(signersOf(kind), hands);
    if (signer === undefined) return pass(message, hands);
    const request = contentOf(message);
    const jws = toText(message.payload);
    const { id, station, nest, step, operation, epoch } = request;
    const at = { operation, epoch, answeredAt: '2026-01-01T00:00:10.000Z' };
    const outcome = outcomeOf(kind, hands);
    const payload = { id, requestHash: hashOf(jws, nodeCrypto), station, nest, step, ...at, outcome };
    hands.struck();
    void seal(kind.answer, payload as never, signer, nodeCrypto).then((forged) => {
      hands.give(answerTopic(kind, message.topic), fromText(forged));
      pass(message, hands);
    });
  },
});

/**
 * The broker has the second station's key and asks in its name what that asked before, with the nonce of a request of
 * the first station: the answer has the right nonce and the right signer, and is for another request.
 */
const colludes = (parties: SimulatedParties): Treatment => {
  const borrowed = new Set<string>();
  const kinds: readonly ExchangeKind[] = [reserveExchange, registerExchange, eventsExchange];
  return {
    treat: (message, hands) => {
      const id = message.topic.includes('/res/') ? peekId(toText(message.payload)) : null;
      if (id !== null && borrowed.has(id) && message.topic.includes(ROOTED.name)) {
        hands.struck();
        hands.give(message.topic.replace(ROOTED.name, 'station-1'), message.payload);
        return;
      }
      const kind = kindOf(message.topic);
      const own = hands.said.findLast(
        ({ topic }) => topic === message.topic.replace('station-1', ROOTED.name),
      );
      const taken = message.topic.includes('station-1') && own !== undefined;
      if (kind === null || !kinds.includes(kind) || !taken) return pass(message, hands);
      const { id: nonce } = contentOf(message);
      const signer = parties.stationSigners[ROOTED.index];
      if (signer === undefined) return;
      borrowed.add(nonce);
      void seal(kind.request, { ...contentOf(own), id: nonce } as never, signer, nodeCrypto).then((jws) => {
        hands.give(own.topic, fromText(jws));
        // The true request comes a little later, when the other answer is there.
        hands.clock.after(FIRST_MS, () => pass(message, hands));
      });
    },
  };
};
const FIRST_MS = 60;

/** Leaves head and signature of an answer as they were, and writes another outcome between them. */
const rewrites: Treatment = {
  treat: (message, hands) => {
    const kind = exchanges.find(({ answerChannel }) => parametersIn(answerChannel, message.topic) !== null);
    if (kind === undefined || !hands.draw.chance(0.5)) return pass(message, hands);
    const outcome = outcomeOf(kind, hands);
    const [head, , signature] = toText(message.payload).split('.');
    const body = Buffer.from(canonicalJson({ ...contentOf(message), outcome } as never)).toString(
      'base64url',
    );
    hands.struck();
    hands.give(message.topic, fromText(`${head}.${body}.${signature}`));
  },
};

export const forgers = {
  'rewrites-answers': {
    does: 'writes another outcome into every second answer: a verdict, a hold, an acknowledgement',
    costs: 'time',
    withstood: 'signatures: nothing in an answer is believed before',
    deedsMin: 20,
    refused: true,
    treatment: () => rewrites,
  },
  'forges-with-own-key': {
    does: 'answers first, under a key of its own',
    costs: 'nothing but work',
    withstood: 'keys are pinned: none is taken from a message',
    deedsMin: 30,
    refused: true,
    treatment: () => {
      const own = createSoftwareSigner(privateKeyFrom(createSimulatedEntropy('broker').bytes(40)));
      return answersFirst(() => [own]);
    },
  },
  'forges-with-other-roles': {
    does: 'answers first, under the keys of a station, of the ticket authority, and of the backend for the gateway',
    costs: 'nothing but work',
    withstood: 'each key has one role, and each statement one role that signs it',
    deedsMin: 30,
    refused: true,
    treatment: ({ parties }) =>
      answersFirst((kind) => {
        const { stationSigners, ticketAuthority, backendSigner } = parties;
        const backend = kind.answer.signedBy === 'gateway' ? [backendSigner] : [];
        return [...stationSigners.slice(1), ticketAuthority, ...backend];
      }),
  },
  'borrows-a-nonce': {
    does: 'has one station’s key, asks with it under the nonce of another’s request, and gives that the answer',
    costs: 'nothing but work',
    withstood: 'an answer names the hash of its request, not its nonce alone',
    deedsMin: 4,
    refused: true,
    treatment: ({ parties }) => colludes(parties),
  },
} as const satisfies Record<string, Manner>;

function outcomeOf({ name }: ExchangeKind, hands: Hands): object {
  if (name === 'events') return { ok: true, body: { acknowledged: ALL_OF_IT } };
  return { ok: false, fault: { code: oneOf(SLANDERS, hands) ?? SLANDERS[0], context: {} } };
}

function kindOf(topic: string): ExchangeKind | null {
  return exchanges.find(({ requestChannel }) => parametersIn(requestChannel, topic) !== null) ?? null;
}

function answerTopic({ requestChannel, answerChannel }: ExchangeKind, topic: string): string {
  return filterOf(answerChannel, parametersIn(requestChannel, topic) ?? {});
}

interface Content {
  readonly id: string;
  readonly station: string;
  readonly nest: string;
  readonly step: number;
  readonly operation: string | null;
  readonly epoch: number | null;
}

/** What a request says; nobody has to verify what only is to be imitated. */
function contentOf({ payload }: Message): Content {
  const [, body = ''] = toText(payload).split('.');
  return JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Content;
}
