/** How key objects come into a token, each by the key policy: in ceremonies, and when a laboratory is set up. */
import type { Bytes } from '../../../../runtime/core/bytes.ts';
import { Fault } from '../../../../runtime/core/faults.ts';
import { type KeyRule, type RuleName, ruleFor, ruleOf } from '../../../../runtime/core/key-policy.ts';
import { type Cryptoki, ck, guarded, type Handle, type Template } from '../cryptoki.ts';
import { templateOf } from '../templates.ts';

export interface CreationPlace {
  readonly cryptoki: Cryptoki;
  readonly session: Handle;
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
export function ruleNamed(kind: KeyRule['kind'], label: string): KeyRule {
  const rule = ruleFor(kind, label);
  if (rule === undefined) throw new Fault('KEY_POLICY_BROKEN', { key: label, attribute: 'unknown object' });
  return rule;
}

/** A secret key that was never anywhere else. @throws Fault HSM_FAILED */
export function generateSecret({ cryptoki, session }: CreationPlace, label: string): Handle {
  const rule = ruleNamed('secret', label);
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
export function createSecret({ cryptoki, session }: CreationPlace, label: string, value: Bytes): Handle {
  const rule = ruleNamed('secret', label);
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

/** @throws Fault HSM_FAILED for what is not wrapped under `kek` (32 bytes) */
export function unwrapUnderKek(place: CreationPlace, label: string, wrapped: Bytes, kek: Bytes): void {
  guarded('HSM_FAILED', () => {
    const unwrapping = createKek(place, 'custody-unwrap', kek);
    unwrap(place, label, wrapped, { mechanism: { mechanism: ck.CKM_AES_KEY_WRAP_PAD }, under: unwrapping });
    place.cryptoki.C_DestroyObject(place.session, unwrapping);
  });
}

/** SHA-1 inside OAEP is no weakness here, and the only one that every token has. RFC 8017 section 7.1.
 * @throws Fault HSM_FAILED for what is not encrypted to this key */
export function unwrapUnderRsa(place: CreationPlace, label: string, wrapped: Bytes, under: Handle): void {
  const parameter = {
    type: ck.CK_PARAMS_RSA_OAEP,
    hashAlg: ck.CKM_SHA_1,
    mgf: ck.CKG_MGF1_SHA1,
    source: 1, // CKZ_DATA_SPECIFIED. PKCS#11 2.40 section 2.1.7.
  };
  const mechanism = { mechanism: ck.CKM_RSA_PKCS_OAEP, parameter };
  guarded('HSM_FAILED', () => unwrap(place, label, wrapped, { mechanism, under }));
}

function unwrap(
  { cryptoki, session }: CreationPlace,
  label: string,
  wrapped: Bytes,
  by: { readonly mechanism: Parameters<Cryptoki['C_UnwrapKey']>[1]; readonly under: Handle },
): void {
  const template = withoutLength(templateOf(ruleNamed('secret', label), label));
  cryptoki.C_UnwrapKey(session, by.mechanism, by.under, view(wrapped), template);
}

function createKek({ cryptoki, session }: CreationPlace, rule: RuleName, kek: Bytes): Handle {
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
