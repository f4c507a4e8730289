/**
 * Key pairs that have a backup: made as session objects, wrapped under the custodians' key before they are kept, and
 * brought back from there, into this token and into the next.
 */
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import type { Bytes } from '../../../../runtime/core/bytes.ts';
import type { WrappedPair } from '../../../../runtime/core/ceremony/token.ts';
import { Fault } from '../../../../runtime/core/faults.ts';
import { type KeyRule, ruleOf } from '../../../../runtime/core/key-policy.ts';
import { ck, guarded, type Handle } from '../cryptoki.ts';
import { templateOf } from '../templates.ts';
import { type CreationPlace, createKek, passing, ruleNamed } from './creation.ts';
import { type Desk, objectNamed, publicKeyOf } from './reading.ts';

/** PKCS#8 of P-384 without its public part, wrapped, has 88 bytes. RFC 5958; RFC 5649 section 4.1. */
const WRAPPED_BYTES_MAX = 256;
const PROBE_BYTES = 32;
const MECHANISM = { mechanism: ck.CKM_AES_KEY_WRAP_PAD };

/** A new pair as it is backed up; no handle of it stays. @param kek 32 bytes @throws Fault HSM_FAILED */
export function wrapNewbornPair(desk: Desk, label: string, kek: Bytes): WrappedPair {
  const { cryptoki, session } = desk.at;
  const { type } = ruleNamed('private', label);
  const long = type === 'p-384';
  const open = ruleOf(long ? 'newborn-pair-p384-public' : 'newborn-pair-public');
  const hidden = ruleOf(long ? 'newborn-pair-p384' : 'newborn-pair');
  return guarded('HSM_FAILED', () => {
    const pair = cryptoki.C_GenerateKeyPair(
      session,
      { mechanism: ck.CKM_EC_KEY_PAIR_GEN },
      templateOf(open),
      templateOf(hidden),
    );
    const under = createKek(desk.at, 'custody-wrap', kek);
    const room = Buffer.alloc(WRAPPED_BYTES_MAX);
    const wrapped = Buffer.from(cryptoki.C_WrapKey(session, MECHANISM, under, pair.privateKey, room));
    const publicKey = publicKeyOf(desk, pair.publicKey, open);
    for (const handle of [pair.privateKey, pair.publicKey, under]) cryptoki.C_DestroyObject(session, handle);
    return { wrapped, publicKey };
  });
}

/** Judged as a session object first, then kept: the private key, and its public one. What of it stands stays.
 * @throws Fault CEREMONY_KEY_DIFFERS unless the two belong together; HSM_FAILED for what is not wrapped under `kek` */
export function unwrapPair(desk: Desk, label: string, { wrapped, publicKey }: WrappedPair, kek: Bytes): void {
  const { cryptoki, session } = desk.at;
  const [rule, open] = [ruleNamed('private', label), ruleNamed('public', label)];
  const under = guarded('HSM_FAILED', () => createKek(desk.at, 'custody-unwrap', kek));
  const unwrap = (template: ReturnType<typeof templateOf>): Handle =>
    guarded('HSM_FAILED', () => cryptoki.C_UnwrapKey(session, MECHANISM, under, view(wrapped), template));
  const tried = unwrap(passing(rule, label));
  demandTogether(desk, { label, rule, publicKey }, tried);
  guarded('HSM_FAILED', () => cryptoki.C_DestroyObject(session, tried));
  if (objectNamed(desk, 'public', label) === null) createPublic(desk.at, label, open, publicKey);
  if (objectNamed(desk, 'private', label) === null) unwrap(templateOf(rule, label));
}

/** @throws Fault CEREMONY_KEY_DIFFERS */
function demandTogether(
  { token }: Desk,
  { label, rule, publicKey }: { readonly label: string; readonly rule: KeyRule; readonly publicKey: string },
  key: Handle,
): void {
  const probe = randomBytes(PROBE_BYTES);
  const signature = token.sign(key, probe, pointIn(publicKey, rule).length);
  const long = rule.type === 'p-384';
  const open = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
  if (!verify(long ? 'sha384' : 'sha256', probe, { key: open, dsaEncoding: 'ieee-p1363' }, signature))
    throw new Fault('CEREMONY_KEY_DIFFERS', {
      key: label,
      why: 'its public key belongs to another',
      found: createHash('sha256').update(publicKey, 'base64').digest('hex').slice(0, 16),
    });
}

function createPublic(
  { cryptoki, session }: CreationPlace,
  label: string,
  rule: KeyRule,
  publicKey: string,
): void {
  const point = pointIn(publicKey, rule);
  const value = Buffer.concat([Buffer.of(0x04, point.length), point]); // an OCTET STRING of less than 128 bytes
  guarded('HSM_FAILED', () =>
    cryptoki.C_CreateObject(session, [{ type: ck.CKA_EC_POINT, value }, ...templateOf(rule, label)]),
  );
}

/** The uncompressed point at the end of a SubjectPublicKeyInfo. */
function pointIn(publicKey: string, { type }: KeyRule): Buffer {
  return Buffer.from(publicKey, 'base64').subarray(type === 'p-384' ? -97 : -65);
}

function view(bytes: Bytes): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
