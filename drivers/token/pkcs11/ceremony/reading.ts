/** What a token says of a key: its attributes, its check value, its public part. */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { toHex } from '../../../../runtime/core/bytes.ts';
import type { ReadKey } from '../../../../runtime/core/ceremony/token.ts';
import { BLOCK_BYTES } from '../../../../runtime/core/crypto/cmac.ts';
import { Fault } from '../../../../runtime/core/faults.ts';
import { isNative, type Kdf, type KeyRule, ruleFor, ruleOf } from '../../../../runtime/core/key-policy.ts';
import { ck, findObjects, guarded, type Handle } from '../cryptoki.ts';
import { encipherReadable, type Operations, type OperationsPlace } from '../operations.ts';
import { readAttribute, readBack, templateOf } from '../templates.ts';
import { ruleNamed } from './creation.ts';

const ZERO_BLOCK = Buffer.alloc(BLOCK_BYTES);
const CHECK_BYTES = 3;
const CLASSES = {
  secret: ck.CKO_SECRET_KEY,
  private: ck.CKO_PRIVATE_KEY,
  public: ck.CKO_PUBLIC_KEY,
} as const satisfies Record<KeyRule['kind'], number>;

/** A session and the calls on it; `kdf` says which masters the token has. */
export interface Desk {
  readonly at: OperationsPlace & { readonly kdf?: Kdf };
  readonly token: Operations;
}

/** Null where no object has this name. @throws Fault KEY_POLICY_BROKEN, also for a second object of the name */
export function readKey(desk: Desk, label: string): ReadKey | null {
  const { cryptoki, session } = desk.at;
  const kinds = (['secret', 'private', 'public'] as const).filter(
    (kind) => ruleFor(kind, label, desk.at.kdf) !== undefined,
  );
  const found = kinds.flatMap((kind) => {
    const handle = objectNamed(desk, kind, label);
    return handle === null ? [] : [{ kind, handle, rule: ruleNamed(kind, label, desk.at.kdf) }];
  });
  if (found.length === 0) return null;
  const secret = found.find(({ kind }) => kind === 'secret');
  const open = found.find(({ kind }) => kind === 'public');
  return {
    objects: found.map(({ kind, handle, rule }) => ({
      kind,
      attributes: readBack(cryptoki, session, handle, rule),
    })),
    checkValue: secret === undefined ? null : checkValueOf(desk, secret.handle, secret.rule),
    publicKey: open === undefined ? null : publicKeyOf(desk, open.handle, open.rule),
  };
}

/** @throws Fault KEY_POLICY_BROKEN for a second object of the name */
export function objectNamed({ at }: Desk, kind: KeyRule['kind'], label: string): Handle | null {
  const { cryptoki, session } = at;
  const [handle, second] = guarded('HSM_FAILED', () =>
    findObjects(cryptoki, session, [
      { type: ck.CKA_CLASS, value: CLASSES[kind] },
      { type: ck.CKA_LABEL, value: label },
    ]),
  );
  if (second !== undefined)
    throw new Fault('KEY_POLICY_BROKEN', { key: label, attribute: 'a second object of this name' });
  return handle ?? null;
}

/** Three bytes, hexadecimal, by whatever the key may do: no key gets a use for the sake of its check value. */
export function checkValueOf({ at, token }: Desk, key: Handle, rule: KeyRule): string {
  return toHex(block().subarray(0, CHECK_BYTES));

  function block(): Uint8Array {
    const may = (mechanism: string): boolean => (rule.mechanisms as readonly string[]).includes(mechanism);
    if (rule.uses.includes('ENCRYPT')) return token.ecb(key, ZERO_BLOCK);
    if (may('AES_CMAC')) return token.cmac(key, ZERO_BLOCK);
    if (may('AES_CBC')) return wrappedZeros({ at, token }, key);
    if (isNative(rule)) {
      // Of an AES-128 key for no card: label and EID are zeros.
      const derived = token.deriveNatively(key, ZERO_BLOCK, ZERO_BLOCK, 'checked-key');
      const value = token.ecb(derived, ZERO_BLOCK);
      token.destroy(derived);
      return value;
    }
    if (may('DES3_ECB_ENCRYPT_DATA')) {
      const derived = token.deriveByBlocks(key, ZERO_BLOCK, 'readable-block', 'DES3_ECB_ENCRYPT_DATA');
      const value = readAttribute(at.cryptoki, at.session, derived, 'VALUE');
      token.destroy(derived);
      return value;
    }
    return encipherReadable(at, token, key, ZERO_BLOCK, may('AES_ECB_ENCRYPT_DATA'));
  }
}

/** A key of zeros wrapped under one that may do nothing but wrap. */
function wrappedZeros({ at, token }: Desk, key: Handle): Uint8Array {
  const template = templateOf(ruleOf('new-key')).filter(({ type }) => type !== ck.CKA_VALUE_LEN);
  const zeros = guarded('HSM_FAILED', () =>
    at.cryptoki.C_CreateObject(at.session, [{ type: ck.CKA_VALUE, value: ZERO_BLOCK }, ...template]),
  );
  const wrapped = token.wrap(key, zeros);
  token.destroy(zeros);
  return wrapped;
}

const CURVES: Readonly<Record<string, { readonly crv: string; readonly bytes: number }>> = {
  'p-256': { crv: 'P-256', bytes: 32 },
  'p-384': { crv: 'P-384', bytes: 48 },
};

/** SubjectPublicKeyInfo, DER, base64. */
export function publicKeyOf({ at }: Desk, key: Handle, rule: KeyRule): string {
  const read = (name: string): Buffer => readAttribute(at.cryptoki, at.session, key, name);
  const curve = CURVES[rule.type];
  const jwk: JsonWebKey =
    curve === undefined
      ? {
          kty: 'RSA',
          n: read('MODULUS').toString('base64url'),
          e: read('PUBLIC_EXPONENT').toString('base64url'),
        }
      : pointOf(read('EC_POINT'), curve);
  return createPublicKey({ key: jwk, format: 'jwk' })
    .export({ type: 'spki', format: 'der' })
    .toString('base64');
}

/** The point stands last in CKA_EC_POINT, inside an OCTET STRING. */
function pointOf(
  value: Buffer,
  { crv, bytes }: { readonly crv: string; readonly bytes: number },
): JsonWebKey {
  const [x, y] = [value.subarray(-2 * bytes, -bytes), value.subarray(-bytes)];
  return { kty: 'EC', crv, x: x.toString('base64url'), y: y.toString('base64url') };
}
