/**
 * The signed envelope: every request, answer and receipt is a compact JWS, ES256, so that a broker can lose,
 * repeat and delay but not forge. Each kind has its own `typ`, so that none passes for another.
 *
 * @see RFC 7515; RFC 7638 for key identifiers
 */
import { z } from 'zod';
import { type Bytes, fromBase64, fromText, toBase64Url, toHex, toText } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { Fault } from '../faults.ts';
import type { Crypto, Signer } from '../ports.ts';
import { MESSAGE_BYTES_MAX } from './channel.ts';
import { bytesIn, invalid, jsonIn } from './compact-part.ts';

/** Who may sign what. `ticket-authority` signs tickets and nothing else, an `officer` approvals. */
export const roles = ['station', 'gateway', 'backend', 'ticket-authority', 'officer'] as const;
export type Role = (typeof roles)[number];

/** A key that this program trusts, pinned by configuration: never taken from a message. */
export interface TrustedKey {
  readonly name: string;
  readonly role: Role;
  /** P-256, 65-byte uncompressed point. */
  readonly publicKey: Bytes;
}

/** A kind of signed statement: its `typ`, who signs it, its payload. */
export interface Statement<Payload extends z.ZodType = z.ZodType> {
  readonly typ: string;
  readonly signedBy: Role;
  readonly payload: Payload;
}

export function statement<Payload extends z.ZodType>(of: Statement<Payload>): Statement<Payload> {
  return of;
}

export interface Opened<Payload> {
  readonly signer: TrustedKey;
  readonly payload: Payload;
}

/** RFC 7638 thumbprint of a P-256 key, base64url. */
export function thumbprint(publicKey: Bytes, crypto: Crypto): string {
  const x = toBase64Url(publicKey.subarray(1, 33));
  const y = toBase64Url(publicKey.subarray(33, 65));
  return toBase64Url(crypto.sha256(fromText(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)));
}

/** Signs a payload; the bytes that are signed are canonical JSON. */
export function seal<P extends z.ZodType>(
  of: Statement<P>,
  payload: z.input<P>,
  signer: Signer,
  crypto: Crypto,
): Promise<string> {
  const header = { alg: 'ES256', kid: thumbprint(signer.publicKey, crypto), typ: of.typ };
  const input = `${toBase64Url(fromText(canonicalJson(header)))}.${toBase64Url(fromText(canonicalJson(payload as object)))}`;
  return signer.sign(fromText(input)).then((signature) => `${input}.${toBase64Url(signature)}`);
}

const headerForm = z.strictObject({ alg: z.literal('ES256'), kid: z.string(), typ: z.string() });

/** Verifies a statement of this kind under the trusted keys of the right role; nothing is believed before.
 * @throws Fault ENVELOPE_INVALID, MESSAGE_MALFORMED */
export function open<P extends z.ZodType>(
  of: Statement<P>,
  jws: string,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): Opened<z.output<P>> {
  const known = remembered(of, trusted).get(jws);
  if (known !== undefined) return known as Opened<z.output<P>>;
  if (jws.length > MESSAGE_BYTES_MAX) throw invalid('too long');
  const [head = '', body = '', tail = '', ...rest] = jws.split('.');
  if (rest.length > 0 || tail === '') throw invalid('not a compact JWS');
  const header = headerForm.safeParse(jsonIn(head));
  if (!header.success) throw invalid('header');
  if (header.data.typ !== of.typ) throw invalid(`typ is ${header.data.typ.slice(0, 40)}, expected ${of.typ}`);
  const signer = trusted.find(
    (key) => key.role === of.signedBy && thumbprintOf(key, crypto) === header.data.kid,
  );
  if (signer === undefined) throw invalid(`no trusted ${of.signedBy} has this key`);
  if (!crypto.verifyP256(signer.publicKey, fromText(`${head}.${body}`), bytesIn(tail)))
    throw invalid('signature');
  const payload = of.payload.safeParse(jsonIn(body));
  if (!payload.success)
    throw new Fault('MESSAGE_MALFORMED', {
      typ: of.typ,
      where: z.prettifyError(payload.error).slice(0, 300),
    });
  const opened = { signer, payload: payload.data };
  remember(of, trusted, jws, opened);
  return opened;
}

/** Statements verified before, by the bytes they were: a receipt is judged at several steps of one unit. */
const REMEMBERED_MAX = 32;
const memory = new WeakMap<readonly TrustedKey[], Map<string, Map<string, Opened<unknown>>>>();

function remembered(of: Statement, trusted: readonly TrustedKey[]): Map<string, Opened<unknown>> {
  const kinds = memory.get(trusted) ?? new Map<string, Map<string, Opened<unknown>>>();
  memory.set(trusted, kinds);
  const known = kinds.get(of.typ) ?? new Map<string, Opened<unknown>>();
  kinds.set(of.typ, known);
  return known;
}

function remember(of: Statement, trusted: readonly TrustedKey[], jws: string, opened: Opened<unknown>): void {
  const known = remembered(of, trusted);
  known.set(jws, opened);
  const oldest = known.keys().next();
  if (known.size > REMEMBERED_MAX && oldest.done !== true) known.delete(oldest.value);
}

/** SHA-256 of a JWS as it was sent, hexadecimal: binds an answer to its request. */
export function hashOf(jws: string, crypto: Crypto): string {
  return toHex(crypto.sha256(fromText(jws)));
}

const thumbprints = new WeakMap<TrustedKey, string>();

/** Trusted keys live as long as the program: each thumbprint is made once. */
function thumbprintOf(key: TrustedKey, crypto: Crypto): string {
  const known = thumbprints.get(key) ?? thumbprint(key.publicKey, crypto);
  thumbprints.set(key, known);
  return known;
}

/** The `id` inside an unverified JWS, to find the request it may answer; believed for nothing else. */
export function peekId(jws: string): string | null {
  const start = jws.indexOf('.') + 1;
  const head = jws.slice(start, Math.min(start + PEEKED_MAX, jws.indexOf('.', start)));
  try {
    // Keys are sorted, so the id stands near the front; the rest is read when the signature is verified.
    const text = String.fromCharCode(...fromBase64(head));
    return /^\{(?:"[a-gA-Z]\w*":(?:"[^"\\]*"|[\w.-]+),)*"id":"([^"\\]{1,64})"/.exec(text)?.[1] ?? null;
  } catch {
    return null; // Not a message of ours: the caller reports it as refused.
  }
}
/** Characters of a payload that hold its id: whole groups of base64. */
const PEEKED_MAX = 400;

/** Operation and epoch inside a receipt that was verified before, to show them. */
export function peekBinding(jws: string): { readonly operation: string; readonly epoch: number } | null {
  const { operation, epoch } = peek(jws);
  return typeof operation === 'string' && typeof epoch === 'number' ? { operation, epoch } : null;
}

/** What a statement claims, with nothing verified: to show it to a person. Null when it has another form. */
export function payloadOf<P extends z.ZodType>(of: Statement<P>, jws: string): z.output<P> | null {
  const claimed = of.payload.safeParse(peek(jws));
  return claimed.success ? claimed.data : null;
}

function peek(jws: string): Readonly<Record<string, unknown>> {
  try {
    const payload: unknown = JSON.parse(toText(fromBase64(jws.split('.')[1] ?? '')));
    return typeof payload === 'object' && payload !== null ? { ...payload } : {};
  } catch {
    return {}; // Not a message of ours: the caller reports it as refused.
  }
}
