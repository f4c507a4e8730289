/**
 * Encryption to a P-256 key: compact JWE, ECDH-ES in direct key agreement, A256GCM. Each message has an
 * ephemeral key of its own, as the standard demands. Nothing else is spoken: no key wrapping, no compression, no
 * other curve or cipher.
 *
 * @see RFC 7516; RFC 7518 sections 4.6 and 5.3
 */
import { z } from 'zod';
import { type Bytes, bigEndian, concat, fromText, toBase64Url } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { AgreementKey, Crypto, Entropy } from '../ports.ts';
import { bytesIn, invalid, jsonIn } from './compact-part.ts';

const ALGORITHM = 'ECDH-ES';
const ENCRYPTION = 'A256GCM';
/** Key of A256GCM. RFC 7518 section 5.3. */
const KEY_BITS = 256;
/** Initialization vector of AES-GCM in bytes. RFC 7518 section 5.3. */
const IV_BYTES = 12;
/** Authentication tag of AES-GCM in bytes. RFC 7518 section 5.3. */
const TAG_BYTES = 16;

/** What both ends must agree on besides the key: PartyUInfo and PartyVInfo. RFC 7518 section 4.6.2. */
export interface Context {
  readonly apu: Bytes;
  readonly apv: Bytes;
}

/** An ephemeral key with the secret that it shares with one recipient: good for one message. */
export interface Agreed {
  /** 65-byte uncompressed point, sent along. */
  readonly ephemeralKey: Bytes;
  readonly secret: Bytes;
}

/** @param recipient 65-byte uncompressed point. @throws Fault ENVELOPE_INVALID when it is not on the curve */
export function agreeWith(
  recipient: Bytes,
  means: { readonly crypto: Crypto; readonly entropy: Entropy },
): Agreed {
  const ephemeral = means.crypto.drawAgreementKey(means.entropy);
  const secret = ephemeral.agree(recipient);
  if (secret === null) throw invalid('the recipient’s key is no point of P-256');
  return { ephemeralKey: ephemeral.publicKey, secret };
}

/** The compact form. `agreed` must not have served another message. */
export function encrypt(
  plaintext: Bytes,
  agreed: Agreed,
  context: Context,
  means: { readonly crypto: Crypto; readonly entropy: Entropy },
): string {
  const header = toBase64Url(
    fromText(
      canonicalJson({
        alg: ALGORITHM,
        enc: ENCRYPTION,
        epk: {
          kty: 'EC',
          crv: 'P-256',
          x: toBase64Url(agreed.ephemeralKey.subarray(1, 33)),
          y: toBase64Url(agreed.ephemeralKey.subarray(33, 65)),
        },
        apu: toBase64Url(context.apu),
        apv: toBase64Url(context.apv),
      }),
    ),
  );
  const iv = means.entropy.bytes(IV_BYTES);
  const sealed = means.crypto.aesGcmEncrypt(
    { key: keyFrom(agreed.secret, context, means.crypto), iv, associated: fromText(header) },
    plaintext,
  );
  const at = sealed.length - TAG_BYTES;
  // The second part would be a wrapped key; direct agreement has none.
  return `${header}..${[iv, sealed.subarray(0, at), sealed.subarray(at)].map(toBase64Url).join('.')}`;
}

const coordinate = z.string().length(43);
const headerForm = z.strictObject({
  alg: z.literal(ALGORITHM),
  enc: z.literal(ENCRYPTION),
  epk: z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate }),
  apu: z.string(),
  apv: z.string(),
});

/** The plaintext of what was encrypted to `own` in this context.
 * @throws Fault ENVELOPE_INVALID for any other key or context, and when a bit was changed */
export function decrypt(jwe: string, own: AgreementKey, context: Context, crypto: Crypto): Bytes {
  const [head = '', wrapped = '', iv = '', ciphertext = '', tag = '', ...rest] = jwe.split('.');
  if (rest.length > 0 || tag === '' || wrapped !== '') throw invalid('not a compact JWE of direct agreement');
  const header = headerForm.safeParse(jsonIn(head));
  if (!header.success) throw invalid('header');
  const { epk, apu, apv } = header.data;
  if (apu !== toBase64Url(context.apu) || apv !== toBase64Url(context.apv))
    throw invalid('encrypted for another place');
  const secret = own.agree(concat(Uint8Array.of(4), bytesIn(epk.x), bytesIn(epk.y)));
  if (secret === null) throw invalid('the ephemeral key is no point of P-256');
  const [vector, code] = [bytesIn(iv), bytesIn(tag)];
  if (vector.length !== IV_BYTES || code.length !== TAG_BYTES) throw invalid('length of vector or tag');
  const plaintext = crypto.aesGcmDecrypt(
    { key: keyFrom(secret, context, crypto), iv: vector, associated: fromText(head) },
    concat(bytesIn(ciphertext), code),
  );
  if (plaintext === null) throw invalid('tag');
  return plaintext;
}

function keyFrom(secret: Bytes, context: Context, crypto: Crypto): Bytes {
  return concatKdf(secret, { algorithm: ENCRYPTION, bits: KEY_BITS, ...context }, crypto);
}

/** The Concat KDF with SHA-256 for keys of one hash or less. RFC 7518 section 4.6.2.
 * @param of `algorithm` is the name under AlgorithmID, `bits` the length under SuppPubInfo */
export function concatKdf(
  secret: Bytes,
  of: Context & { readonly algorithm: string; readonly bits: 128 | 256 },
  crypto: Crypto,
): Bytes {
  const round = bigEndian(1, 4);
  const parts = [fromText(of.algorithm), of.apu, of.apv].flatMap((part) => [bigEndian(part.length, 4), part]);
  return crypto.sha256(concat(round, secret, ...parts, bigEndian(of.bits, 4))).subarray(0, of.bits / 8);
}
