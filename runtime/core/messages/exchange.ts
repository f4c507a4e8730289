/**
 * A request and its answer: two channels and two signed statements, declared in one. An answer names the
 * nonce and the hash of its request, and once a unit is reserved both name operation and epoch.
 */
import { z } from 'zod';
import { Fault, type FaultNote } from '../faults.ts';
import type { Crypto, Signer } from '../ports.ts';
import { type Channel, channel, type Program } from './channel.ts';
import { hashOf, open, type Role, type Statement, seal, statement, type TrustedKey } from './envelope.ts';
import { epoch, faultNote, hash, instant, nest, operationId, partyName } from './fields.ts';

/** Binds a message to the work it belongs to. */
const binding = {
  operation: operationId.nullable().meta({ description: 'Null before the unit is reserved.' }),
  epoch: epoch.nullable(),
};
export interface Binding {
  readonly operation: string | null;
  readonly epoch: number | null;
}
export const unbound: Binding = { operation: null, epoch: null };

function requestPayload<Body extends z.ZodType>(body: Body) {
  return z.strictObject({
    id: z.uuid().meta({ description: 'Nonce of this request; a repetition carries the same.' }),
    station: partyName,
    nest,
    to: partyName.meta({ description: 'Program or instance that is asked.' }),
    step: z
      .int()
      .min(0)
      .max(10_000)
      .meta({ description: 'Place in the dialogue, 0 where there is only one.' }),
    sentAt: instant,
    ...binding,
    body,
  });
}

function answerPayload<Body extends z.ZodType>(body: Body) {
  return z.strictObject({
    id: z.uuid(),
    requestHash: hash.meta({ description: 'SHA-256 of the request as it was sent.' }),
    station: partyName,
    nest,
    step: z.int().min(0).max(10_000),
    answeredAt: instant,
    ...binding,
    outcome: z.union([
      z.strictObject({ ok: z.literal(true), body }),
      z.strictObject({ ok: z.literal(false), fault: faultNote }),
    ]),
  });
}

type RequestPayload<B extends z.ZodType> = ReturnType<typeof requestPayload<B>>;
type AnswerPayload<B extends z.ZodType> = ReturnType<typeof answerPayload<B>>;

export interface ExchangeKind<Req extends z.ZodType = z.ZodType, Ans extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly requestBody: Req;
  readonly answerBody: Ans;
  readonly request: Statement<RequestPayload<Req>>;
  readonly answer: Statement<AnswerPayload<Ans>>;
  readonly requestChannel: Channel;
  readonly answerChannel: Channel;
}

export interface ExchangeDeclaration<Topic extends string, Req extends z.ZodType, Ans extends z.ZodType> {
  readonly name: string;
  /** Below `holdfast/v1/req/{station}/`, and the same below `holdfast/v1/res/{station}/`. */
  readonly topic: Topic;
  readonly to: Program & Role;
  readonly summary: string;
  readonly request: Req;
  readonly answer: Ans;
}

export function exchangeKind<const Topic extends string, Req extends z.ZodType, Ans extends z.ZodType>(
  declared: ExchangeDeclaration<Topic, Req, Ans>,
): ExchangeKind<Req, Ans> {
  const typ = `holdfast/${declared.name}`;
  const request = requestPayload(declared.request);
  const answer = answerPayload(declared.answer);
  return {
    name: declared.name,
    requestBody: declared.request,
    answerBody: declared.answer,
    request: statement({ typ: `${typ}-request+v1`, signedBy: 'station', payload: request }),
    answer: statement({ typ: `${typ}-answer+v1`, signedBy: declared.to, payload: answer }),
    requestChannel: channel({
      topic: `holdfast/v1/req/{station}/${declared.topic}`,
      // The signed answer is the acknowledgement; the broker's would only cost time.
      qos: 0,
      retain: false,
      from: 'station',
      to: declared.to,
      summary: declared.summary,
      payload: request,
    }),
    answerChannel: channel({
      topic: `holdfast/v1/res/{station}/${declared.topic}`,
      qos: 0,
      retain: false,
      from: declared.to,
      to: 'station',
      summary: `Answers: ${declared.summary}`,
      payload: answer,
    }),
  };
}

/** A request as its receiver sees it: verified, typed, with what the answer must repeat. */
export interface OpenedRequest<Body> {
  readonly jws: string;
  readonly hash: string;
  readonly payload: Binding & {
    readonly id: string;
    readonly station: string;
    readonly nest: string;
    readonly to: string;
    readonly step: number;
    readonly sentAt: string;
    readonly body: Body;
  };
}

/** Verifies a request that came on the topic of `station`.
 * @throws Fault ENVELOPE_INVALID when another station signed it; MESSAGE_MALFORMED */
export function openRequest<Req extends z.ZodType, Ans extends z.ZodType>(
  kind: ExchangeKind<Req, Ans>,
  jws: string,
  station: string,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): OpenedRequest<z.output<Req>> {
  const { signer, payload } = open(kind.request, jws, trusted, crypto);
  const typed = payload as unknown as OpenedRequest<z.output<Req>>['payload'];
  if (signer.name !== station || typed.station !== station)
    throw new Fault('ENVELOPE_INVALID', { why: 'signed by another station', station, signer: signer.name });
  return { jws, hash: hashOf(jws, crypto), payload: typed };
}

export type Outcome<Body> =
  | { readonly ok: true; readonly body: Body }
  | { readonly ok: false; readonly fault: FaultNote };

/** Signs the answer to a request. `at`: ISO 8601, of the answering program. */
export function sealAnswer<Req extends z.ZodType, Ans extends z.ZodType>(
  kind: ExchangeKind<Req, Ans>,
  request: OpenedRequest<unknown>,
  outcome: Outcome<z.input<Ans>>,
  at: string,
  means: { readonly signer: Signer; readonly crypto: Crypto; readonly binding?: Binding },
): Promise<string> {
  const { id, station, nest: place, step, operation, epoch: era } = request.payload;
  const payload = {
    id,
    requestHash: request.hash,
    station,
    nest: place,
    step,
    answeredAt: at,
    operation: means.binding?.operation ?? operation,
    epoch: means.binding?.epoch ?? era,
    outcome,
  };
  return seal(kind.answer, payload as never, means.signer, means.crypto);
}

/** Verifies that an answer belongs to this very request. @throws Fault ENVELOPE_INVALID, MESSAGE_MALFORMED */
export function openAnswer<Req extends z.ZodType, Ans extends z.ZodType>(
  kind: ExchangeKind<Req, Ans>,
  jws: string,
  request: { readonly jws: string; readonly id: string },
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): { readonly outcome: Outcome<z.output<Ans>>; readonly signer: TrustedKey; readonly binding: Binding } {
  const { payload, signer } = open(kind.answer, jws, trusted, crypto);
  const typed = payload as unknown as Binding & {
    id: string;
    requestHash: string;
    outcome: Outcome<z.output<Ans>>;
  };
  if (typed.id !== request.id || typed.requestHash !== hashOf(request.jws, crypto))
    throw new Fault('ENVELOPE_INVALID', { why: 'answers another request' });
  return {
    outcome: typed.outcome,
    signer,
    binding: { operation: typed.operation, epoch: typed.epoch },
  };
}
