/** How key objects come into a token, each by the key policy: in ceremonies, and when a laboratory is set up. */
import type { Bytes } from '../../../../runtime/core/bytes.ts';
import { Fault } from '../../../../runtime/core/faults.ts';
import {
  type Kdf,
  type KeyRule,
  type RuleName,
  ruleFor,
  ruleOf,
} from '../../../../runtime/core/key-policy.ts';
import { type Cryptoki, ck, guarded, type Handle, type Template } from '../cryptoki.ts';
import { templateOf } from '../templates.ts';

export interface CreationPlace {
  readonly cryptoki: Cryptoki;
  readonly session: Handle;
  /** Which masters the token has; `cbc-data` by default. */
  readonly kdf?: Kdf;
}

/** AES-KWP adds 8 bytes and pads to 8; RSA-3072 makes 384. RFC 5649 section 4.1. */
const WRAPPED_BYTES = 40;
const SIZES: Readonly<Record<string, number>> = { 'aes-128': 16, 'aes-256': 32, 'des-3': 24 };

/** Bytes of a secret key of this rule. */
export function sizeOf({ type }: KeyRule): number {
  const size = SIZES[type];
  if (size === undefined) throw new RangeError(`a key of type ${type} has no bytes of its own`);
  return size;
}

/** @throws Fault KEY_POLICY_BROKEN for a key that no rule is for */
export function ruleNamed(kind: KeyRule['kind'], label: string, kdf: Kdf = 'cbc-data'): KeyRule {
  const rule = ruleFor(kind, label, kdf);
  if (rule === undefined) throw new Fault('KEY_POLICY_BROKEN', { key: label, attribute: 'unknown object' });
  return rule;
}

/** A secret key that was never anywhere else. @throws Fault HSM_FAILED */
export function generateSecret({ cryptoki, session, kdf }: CreationPlace, label: string): Handle {
  const rule = ruleNamed('secret', label, kdf);
  if (rule.type === 'des-3') throw new RangeError('a triple DES master comes from its vendor');
  return guarded('HSM_FAILED', () =>
    cryptoki.C_GenerateKey(session, { mechanism: ck.CKM_AES_KEY_GEN }, templateOf(rule, label)),
  );
}

/** @throws Fault HSM_FAILED */
export function generatePair({ cryptoki, session }: CreationPlace, label: string): void {
  const [open, hidden] = [ruleNamed('public', label), ruleNamed('private', label)];
  const mechanism = hidden.type === 'rsa-3072' ? ck.CKM_RSA_PKCS_KEY_PAIR_GEN : ck.CKM_EC_KEY_PAIR_GEN;
  guarded('HSM_FAILED', () =>
    cryptoki.C_GenerateKeyPair(session, { mechanism }, templateOf(open, label), templateOf(hidden, label)),
  );
}

/** From its bytes, which the caller wipes. @throws Fault HSM_FAILED */
export function createSecret({ cryptoki, session, kdf }: CreationPlace, label: string, value: Bytes): Handle {
  const rule = ruleNamed('secret', label, kdf);
  if (value.length !== sizeOf(rule)) throw new RangeError(`${label} has ${sizeOf(rule)} bytes`);
  const template = [{ type: ck.CKA_VALUE, value: view(value) }, ...withoutLength(templateOf(rule, label))];
  return guarded('HSM_FAILED', () => cryptoki.C_CreateObject(session, template));
}

/** A new AES-256 key as it is backed up: wrapped by AES-KWP under `kek` (32 bytes). No handle of it stays.
 * @throws Fault HSM_FAILED */
export function wrapNewborn(place: CreationPlace, kek: Bytes): Bytes {
  const { cryptoki, session } = place;
  return guarded('HSM_FAILED', () => {
    const wrapping = createKek(place, 'custody-wrap', kek);
    const template = templateOf(ruleOf('newborn'));
    const key = cryptoki.C_GenerateKey(session, { mechanism: ck.CKM_AES_KEY_GEN }, template);
    const mechanism = { mechanism: ck.CKM_AES_KEY_WRAP_PAD };
    const wrapped = cryptoki.C_WrapKey(session, mechanism, wrapping, key, Buffer.alloc(WRAPPED_BYTES));
    cryptoki.C_DestroyObject(session, key);
    cryptoki.C_DestroyObject(session, wrapping);
    return Buffer.from(wrapped);
  });
}

/** Judges a key that came from outside while it is still a session object, and may say no. */
export type Trial = (key: Handle, rule: KeyRule) => void;

/** From bytes that were joined, which the caller wipes. @throws Fault HSM_FAILED, and what `trial` throws */
export function keepJoined(place: CreationPlace, label: string, value: Bytes, trial: Trial): void {
  const { cryptoki, session, kdf } = place;
  const rule = ruleNamed('secret', label, kdf);
  const template = [{ type: ck.CKA_VALUE, value: view(value) }, ...passing(rule, label)];
  const tried = guarded('HSM_FAILED', () => cryptoki.C_CreateObject(session, template));
  trial(tried, rule);
  guarded('HSM_FAILED', () => cryptoki.C_DestroyObject(session, tried));
  createSecret(place, label, value);
}

/** @throws Fault HSM_FAILED for what is not wrapped under `kek` (32 bytes), and what `trial` throws */
export function unwrapUnderKek(
  place: CreationPlace,
  { label, wrapped, trial }: WrappedSecret,
  kek: Bytes,
): void {
  const under = guarded('HSM_FAILED', () => createKek(place, 'custody-unwrap', kek));
  keepUnwrapped(
    place,
    { label, wrapped, trial },
    { mechanism: { mechanism: ck.CKM_AES_KEY_WRAP_PAD }, under },
  );
}

/** SHA-1 inside OAEP is no weakness here, and the only one that every token has. RFC 8017 section 7.1.
 * @throws Fault HSM_FAILED for what is not encrypted to this key, and what `trial` throws */
export function unwrapUnderRsa(place: CreationPlace, secret: WrappedSecret, under: Handle): void {
  const parameter = {
    type: ck.CK_PARAMS_RSA_OAEP,
    hashAlg: ck.CKM_SHA_1,
    mgf: ck.CKG_MGF1_SHA1,
    source: 1, // CKZ_DATA_SPECIFIED. PKCS#11 2.40 section 2.1.7.
  };
  keepUnwrapped(place, secret, { mechanism: { mechanism: ck.CKM_RSA_PKCS_OAEP, parameter }, under });
}

export interface WrappedSecret {
  readonly label: string;
  readonly wrapped: Bytes;
  readonly trial: Trial;
}

/** Twice: once to be judged, and once to stay. What is in the token for good cannot be destroyed again. */
function keepUnwrapped(
  { cryptoki, session, kdf }: CreationPlace,
  { label, wrapped, trial }: WrappedSecret,
  by: { readonly mechanism: Parameters<Cryptoki['C_UnwrapKey']>[1]; readonly under: Handle },
): void {
  const rule = ruleNamed('secret', label, kdf);
  const unwrap = (template: Template): Handle =>
    guarded('HSM_FAILED', () =>
      cryptoki.C_UnwrapKey(session, by.mechanism, by.under, view(wrapped), withoutLength(template)),
    );
  const tried = unwrap(passing(rule, label));
  trial(tried, rule);
  guarded('HSM_FAILED', () => cryptoki.C_DestroyObject(session, tried));
  unwrap(templateOf(rule, label));
}

/** The template of the same key as a session object, under no name; without its length, which its value tells. */
export function passing(rule: KeyRule, label: string): Template {
  const own: readonly number[] = [ck.CKA_TOKEN, ck.CKA_DESTROYABLE, ck.CKA_LABEL, ck.CKA_ID];
  const lasting = withoutLength(templateOf(rule, label)).filter(({ type }) => !own.includes(type));
  return [{ type: ck.CKA_TOKEN, value: false }, ...lasting];
}

export function createKek({ cryptoki, session }: CreationPlace, rule: RuleName, kek: Bytes): Handle {
  const template = withoutLength(templateOf(ruleOf(rule)));
  return cryptoki.C_CreateObject(session, [{ type: ck.CKA_VALUE, value: view(kek) }, ...template]);
}

/** What has a value, or is unwrapped, tells its length by itself, and a token refuses to be told. */
function withoutLength(template: Template): Template {
  return template.filter(({ type }) => type !== ck.CKA_VALUE_LEN);
}

function view(bytes: Bytes): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
