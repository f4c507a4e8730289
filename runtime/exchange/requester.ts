/**
 * Asks another program over the bus: sign, publish, wait for the answer that names this request, repeat the
 * same bytes when none comes. The broker's word counts for nothing.
 */
import type { z } from 'zod';
import { fromText } from '../core/bytes.ts';
import { asFault, Fault, isFault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { filterOf, messageText } from '../core/messages/channel.ts';
import { peekId, seal, type TrustedKey } from '../core/messages/envelope.ts';
import { type Binding, type ExchangeKind, type Outcome, openAnswer } from '../core/messages/exchange.ts';
import type { Retry } from '../core/operation/deadlines.ts';
import type { Bus, Clock, Crypto, Entropy, Failpoint, Log, Signer } from '../core/ports.ts';
import { uuidV4 } from '../core/uuid.ts';

export interface RequesterPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly trusted: readonly TrustedKey[];
  readonly log: Log;
  readonly failpoint: Failpoint;
}

export interface Question {
  readonly nest: string;
  /** Program or instance that is asked. */
  readonly to: string;
  readonly step: number;
  readonly binding: Binding;
  /** Further parameters of the topic. */
  readonly topic?: Readonly<Record<string, string>>;
  readonly retry: Retry;
}

export interface Answered<Body> {
  readonly body: Body;
  readonly binding: Binding;
  readonly answeredBy: string;
}

interface Waiting {
  readonly take: (jws: string) => void;
}

export interface Requester {
  ask<Req extends z.ZodType, Ans extends z.ZodType>(
    kind: ExchangeKind<Req, Ans>,
    question: Question,
    body: z.input<Req>,
  ): Promise<Answered<z.output<Ans>>>;
}

/** Requests that may wait at a time; a station has one or two a nest. */
const WAITING_MAX = 256;

export async function createRequester(
  station: string,
  kinds: readonly ExchangeKind[],
  ports: RequesterPorts,
): Promise<Requester> {
  const waiting = new Map<string, Waiting>();
  for (const kind of kinds)
    await ports.bus.subscribe(filterOf(kind.answerChannel, { station }), (_topic, payload) => {
      const jws = messageText(payload);
      const id = jws === null ? null : peekId(jws);
      const request = id === null ? undefined : waiting.get(id);
      // An answer that nobody waits for any longer is no fault: its request was repeated.
      if (jws !== null && request !== undefined) request.take(jws);
    });

  return {
    ask: async (kind, question, body) => {
      if (waiting.size >= WAITING_MAX) throw new Fault('BACKEND_BUSY', { waiting: waiting.size });
      const id = uuidV4(ports.entropy.bytes(16));
      const payload = {
        id,
        station,
        nest: question.nest,
        to: question.to,
        step: question.step,
        sentAt: instantOf(ports.clock.now()),
        ...question.binding,
        body,
      };
      const jws = await seal(kind.request, payload as never, ports.signer, ports.crypto);
      const topic = filterOf(kind.requestChannel, { station, ...question.topic });
      ports.failpoint(`request:${kind.name}:before`);
      try {
        for (let attempt = 0; attempt < question.retry.attemptsMax; attempt++) {
          const answer = await answerTo(kind, { id, jws, topic }, question.retry.waitMs, waiting, ports);
          if (answer === null) continue;
          ports.failpoint(`request:${kind.name}:after`);
          if (!answer.outcome.ok) throw new Fault(answer.outcome.fault.code, answer.outcome.fault.context);
          return { body: answer.outcome.body, binding: answer.binding, answeredBy: answer.signer.name };
        }
      } finally {
        waiting.delete(id);
      }
      throw new Fault(kind.answer.signedBy === 'gateway' ? 'GATEWAY_SILENT' : 'BACKEND_SILENT', {
        request: kind.name,
        attempts: question.retry.attemptsMax,
      });
    },
  };
}

interface Verified<Ans extends z.ZodType> {
  readonly outcome: Outcome<z.output<Ans>>;
  readonly signer: TrustedKey;
  readonly binding: Binding;
}

/** Publishes once and waits once; null when no valid answer came in time. @throws Fault BUS_UNREACHABLE */
function answerTo<Req extends z.ZodType, Ans extends z.ZodType>(
  kind: ExchangeKind<Req, Ans>,
  request: { readonly id: string; readonly jws: string; readonly topic: string },
  waitMs: number,
  waiting: Map<string, Waiting>,
  ports: RequesterPorts,
): Promise<Verified<Ans> | null> {
  return new Promise((resolve, reject) => {
    const cancel = ports.clock.after(waitMs, () => resolve(null));
    const take = (jws: string): void => {
      try {
        const answer = openAnswer(kind, jws, request, ports.trusted, ports.crypto);
        cancel();
        resolve(answer);
      } catch (error) {
        if (!isFault(error)) {
          cancel();
          reject(error);
          return;
        }
        ports.log.write('warn', 'message-refused', { kind: kind.name, code: error.code, ...error.context });
      }
    };
    waiting.set(request.id, { take });
    ports.bus
      .publish(request.topic, fromText(request.jws), { qos: kind.requestChannel.qos, retain: false })
      .catch((error) => {
        cancel();
        reject(reasonOf(error));
      });
  });
}

/** A bus that is down says so. Why it is, where it knows, helps more: that a certificate has expired. */
function reasonOf(error: unknown): Fault {
  const fault = asFault(error, 'BUS_UNREACHABLE');
  return isFault(fault.cause) ? fault.cause : fault;
}
