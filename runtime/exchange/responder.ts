/**
 * Answers requests from the bus: verify, act once, sign, answer as often as asked. A repetition gets the
 * same bytes; what is still being worked on is not begun twice.
 */
import type { z } from 'zod';
import { fromText } from '../core/bytes.ts';
import { asFault, type Fault, isFault, noteOf } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { filterOf, messageText, parametersIn } from '../core/messages/channel.ts';
import type { TrustedKey } from '../core/messages/envelope.ts';
import {
  type Binding,
  type ExchangeKind,
  type OpenedRequest,
  type Outcome,
  openRequest,
  sealAnswer,
} from '../core/messages/exchange.ts';
import type { Bus, Clock, Crypto, Log, Signer } from '../core/ports.ts';

export interface ResponderPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly trusted: readonly TrustedKey[];
  readonly log: Log;
}

export interface Reply<Body> {
  readonly body: Body;
  /** Operation and epoch, where the answer is what settles them. */
  readonly binding?: Binding;
  /** Done when the answer has left, or could not. */
  readonly afterwards?: () => void;
}

export type Handler<Req extends z.ZodType, Ans extends z.ZodType> = (
  request: OpenedRequest<z.output<Req>>['payload'],
  /** The request as it was sent. */
  sent: { readonly jws: string; readonly hash: string },
) => Promise<Reply<z.input<Ans>>>;

/** The handler that belongs to a kind of request. */
export type HandlerOf<Kind> = Kind extends { requestBody: infer Req; answerBody: infer Ans }
  ? Req extends z.ZodType
    ? Ans extends z.ZodType
      ? Handler<Req, Ans>
      : never
    : never
  : never;

/** Answers kept for repetitions, and requests under way, per kind of request. */
const KEPT_MAX = 2048;
const UNDER_WAY_MAX = 512;
/** Between two looks for a key that is not known. */
const LOOK_MS = 1_000;

/** Keys of stations that come and go while a program runs. */
export interface StationKeys {
  /** All keys that count at this moment; another array whenever they change. */
  trusted(): readonly TrustedKey[];
  /** Looks for keys that were told elsewhere. */
  refresh(): Promise<void>;
}

export interface Service {
  /** Name that requests must address: the program, or this instance of it. */
  readonly addressedAs: readonly string[];
  /** Parameters of the topic that are this program's own. */
  readonly topic: Readonly<Record<string, string>>;
  /** Asked before each request is worked on. @throws Fault for a station that is answered no longer */
  readonly demand?: (station: string) => void | Promise<void>;
  /** In the place of the keys of the ports. */
  readonly keys?: StationKeys;
  /** Name of a shared subscription, where any instance may answer. */
  readonly share?: string;
}

export async function serve<Req extends z.ZodType, Ans extends z.ZodType>(
  kind: ExchangeKind<Req, Ans>,
  service: Service,
  handler: Handler<Req, Ans>,
  ports: ResponderPorts,
): Promise<void> {
  const kept = new Map<string, string>();
  const underWay = new Set<string>();
  const filter = filterOf(kind.requestChannel, service.topic);
  const door = openerOf(kind, service, ports);

  const respond = async (station: string, jws: string, topic: string): Promise<void> => {
    const request = await door.open(jws, station);
    const before = kept.get(request.hash);
    if (before !== undefined) return publish(topic, before);
    if (underWay.has(request.hash)) return;
    if (!service.addressedAs.includes(request.payload.to) || underWay.size >= UNDER_WAY_MAX) return;
    underWay.add(request.hash);
    try {
      const result = await outcomeOf(async (payload, sent) => {
        await door.demand(jws, station);
        return handler(payload, sent);
      }, request);
      const answer = await sealAnswer(kind, request, result.outcome, instantOf(ports.clock.now()), {
        signer: ports.signer,
        crypto: ports.crypto,
        ...(result.binding === undefined ? {} : { binding: result.binding }),
      });
      if (result.keep) remember(kept, request.hash, answer);
      logOutcome(result.outcome, station);
      await publish(topic, answer).finally(result.afterwards);
    } finally {
      underWay.delete(request.hash);
    }
  };
  const publish = (topic: string, jws: string): Promise<void> =>
    ports.bus.publish(topic, fromText(jws), { qos: kind.answerChannel.qos, retain: false });
  const logOutcome = (outcome: Outcome<unknown>, station: string): void => {
    if (outcome.ok) ports.log.write('debug', 'request-answered', { kind: kind.name, station });
    else ports.log.write('warn', 'request-refused', { kind: kind.name, station, ...outcome.fault });
  };

  await ports.bus.subscribe(
    service.share === undefined ? filter : `$share/${service.share}/${filter}`,
    (topic, payload) => {
      const parameters = parametersIn(kind.requestChannel, topic);
      const station = parameters?.station;
      if (parameters === null || station === undefined) return;
      const answerTopic = filterOf(kind.answerChannel, parameters);
      const text = messageText(payload);
      if (text === null) {
        const why = 'too large or not UTF-8';
        ports.log.write('warn', 'message-refused', { kind: kind.name, station, why });
        return;
      }
      respond(station, text, answerTopic).catch((error: unknown) => {
        const fault = asFault(error, 'UNEXPECTED');
        ports.log.write(fault.code === 'UNEXPECTED' ? 'error' : 'warn', 'message-refused', {
          kind: kind.name,
          station,
          code: fault.code,
          ...fault.context,
          cause: causeOf(fault),
        });
      });
    },
  );
}

/** Opens requests under the keys that count; for one that nobody known signed, keys are looked for, now and then. */
function openerOf<Req extends z.ZodType, Ans extends z.ZodType>(
  kind: ExchangeKind<Req, Ans>,
  { keys, demand }: Service,
  ports: ResponderPorts,
) {
  const trusted = (): readonly TrustedKey[] => keys?.trusted() ?? ports.trusted;
  let lookedMs = Number.NEGATIVE_INFINITY;
  /** Anybody can send what nobody signed. */
  const look = async (error: unknown): Promise<boolean> => {
    const nowMs = ports.clock.monotonicMs();
    const unknown = isFault(error) && error.code === 'ENVELOPE_INVALID';
    if (!unknown || keys === undefined || nowMs - lookedMs < LOOK_MS) return false;
    lookedMs = nowMs;
    await keys.refresh();
    return true;
  };
  const open = async (jws: string, station: string): Promise<OpenedRequest<z.output<Req>>> => {
    const before = trusted();
    try {
      return openRequest(kind, jws, station, before, ports.crypto);
    } catch (error) {
      if (!(await look(error)) || trusted() === before) throw error;
      return openRequest(kind, jws, station, trusted(), ports.crypto);
    }
  };
  return {
    open,
    /** What was looked up to judge the station may have replaced the key of its request. */
    demand: async (jws: string, station: string): Promise<void> => {
      const before = trusted();
      await demand?.(station);
      if (trusted() !== before) openRequest(kind, jws, station, trusted(), ports.crypto);
    },
  };
}

/** A fault is an answer; anything else too, so that the station learns of it, and is logged by the caller. */
async function outcomeOf<Req extends z.ZodType, Ans extends z.ZodType>(
  handler: Handler<Req, Ans>,
  request: OpenedRequest<z.output<Req>>,
): Promise<Partial<Omit<Reply<z.input<Ans>>, 'body'>> & { outcome: Outcome<z.input<Ans>>; keep: boolean }> {
  try {
    const { body, ...rest } = await handler(request.payload, request);
    return { ...rest, outcome: { ok: true, body }, keep: true };
  } catch (error) {
    if (!isFault(error)) throw error;
    // A passing failure may be over at the next repetition, so it is not kept.
    return { outcome: { ok: false, fault: noteOf(error) }, keep: error.definition.disposition !== 'retry' };
  }
}

function remember(kept: Map<string, string>, hash: string, answer: string): void {
  kept.set(hash, answer);
  const oldest = kept.keys().next();
  if (kept.size > KEPT_MAX && oldest.done !== true) kept.delete(oldest.value);
}

function causeOf(fault: Fault): string | undefined {
  return fault.cause instanceof Error ? fault.cause.message : undefined;
}
