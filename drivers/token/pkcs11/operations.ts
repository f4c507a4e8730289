/**
 * The PKCS#11 calls of SCP03 on one session, with handles only. CMAC over two blocks is one CBC derivation, so
 * that masters need no usage but DERIVE.
 *
 * @see PKCS#11 2.40 section 2.15
 */
import { createHash } from 'node:crypto';
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { CHECK_VALUE_BLOCK, CHECK_VALUE_BYTES } from '../../../runtime/core/card/scp03-put-key.ts';
import type { ConstantEntry } from './constants.ts';
import { type Cryptoki, ck, guarded, type Handle } from './cryptoki.ts';
import { type RuleName, ruleOf } from './key-policy.ts';
import { templateOf } from './templates.ts';

const ZERO_BLOCK = Buffer.alloc(16);

export type KeyHandles = readonly [enc: Handle, mac: Handle, dek: Handle];
export type Operations = ReturnType<typeof createOperations>;

/**
 * PKCS#11 calls on one session of its own. After an error in any of them the session may be left in the middle
 * of an operation, so whoever gets one closes it.
 */
export function createOperations(cryptoki: Cryptoki, session: Handle) {
  const run = <Result>(action: () => Result): Result => guarded('HSM_FAILED', action);
  const encrypt = (key: Handle, mechanism: Parameters<Cryptoki['C_EncryptInit']>[1], data: Bytes): Buffer =>
    run(() => {
      cryptoki.C_EncryptInit(session, mechanism, key);
      return cryptoki.C_Encrypt(session, view(data), Buffer.alloc(data.length));
    });
  const ecb = (key: Handle, data: Bytes): Buffer => encrypt(key, { mechanism: ck.CKM_AES_ECB }, data);
  const derive = (base: Handle, iv: Bytes, data: Bytes, rule: RuleName): Handle =>
    run(() => {
      const parameter = { type: ck.CK_PARAMS_AES_CBC, iv: view(iv), data: view(data) };
      const mechanism = { mechanism: ck.CKM_AES_CBC_ENCRYPT_DATA, parameter };
      return cryptoki.C_DeriveKey(session, mechanism, base, sessionTemplate(rule));
    });
  return {
    ecb,
    derive,
    cbc: (key: Handle, iv: Bytes, data: Bytes): Buffer =>
      encrypt(key, { mechanism: ck.CKM_AES_CBC, parameter: view(iv) }, data),
    cbcDecrypt: (key: Handle, iv: Bytes, data: Bytes): Buffer =>
      run(() => {
        cryptoki.C_DecryptInit(session, { mechanism: ck.CKM_AES_CBC, parameter: view(iv) }, key);
        return cryptoki.C_Decrypt(session, view(data), Buffer.alloc(data.length));
      }),
    cmac: (key: Handle, message: Bytes): Buffer =>
      run(() => {
        cryptoki.C_SignInit(session, { mechanism: ck.CKM_AES_CMAC }, key);
        return cryptoki.C_Sign(session, view(message), Buffer.alloc(16));
      }),
    /** SoftHSM signs a digest of any length, so the digest is made here. */
    sign: (key: Handle, message: Bytes): Buffer =>
      run(() => {
        const digest = createHash('sha256').update(message).digest();
        cryptoki.C_SignInit(session, { mechanism: ck.CKM_ECDSA }, key);
        return cryptoki.C_Sign(session, digest, Buffer.alloc(64));
      }),
    /** Three static keys of one EID. */
    deriveSet: (
      master: Handle,
      ivs: ConstantEntry['ivs'],
      eid: Bytes,
      rules: readonly [RuleName, RuleName, RuleName],
    ): KeyHandles => [
      derive(master, ivs[0], eid, rules[0]),
      derive(master, ivs[1], eid, rules[1]),
      derive(master, ivs[2], eid, rules[2]),
    ],
    /** Three keys that were never anywhere else. */
    drawSet: (rule: RuleName): KeyHandles => {
      const draw = (): Handle =>
        run(() => cryptoki.C_GenerateKey(session, { mechanism: ck.CKM_AES_KEY_GEN }, sessionTemplate(rule)));
      return [draw(), draw(), draw()];
    },
    checkValue: (key: Handle): Bytes => ecb(key, CHECK_VALUE_BLOCK).subarray(0, CHECK_VALUE_BYTES),
    wrap: (wrapping: Handle, key: Handle): Bytes =>
      run(() => {
        const mechanism = { mechanism: ck.CKM_AES_CBC, parameter: ZERO_BLOCK };
        return Buffer.from(cryptoki.C_WrapKey(session, mechanism, wrapping, key, Buffer.alloc(16)));
      }),
    destroy: (key: Handle): void => run(() => cryptoki.C_DestroyObject(session, key)),
    /** Destroys every session object with it. */
    close: (): void => run(() => cryptoki.C_CloseSession(session)),
  };
}

const templates = new Map<RuleName, ReturnType<typeof templateOf>>();

/** Templates of session objects are always the same. */
function sessionTemplate(rule: RuleName): ReturnType<typeof templateOf> {
  const known = templates.get(rule) ?? templateOf(ruleOf(rule));
  templates.set(rule, known);
  return known;
}

/** The same bytes as the Buffer that pkcs11js asks for. */
function view(bytes: Bytes): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
