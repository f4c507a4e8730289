/**
 * The PKCS#11 calls of SCP03 on one session, with handles only. CMAC over two blocks is one derivation, so that
 * masters need no usage but DERIVE.
 *
 * @see PKCS#11 2.40 section 2.15
 */
import { createHash } from 'node:crypto';
import { type Bytes, concat, xor } from '../../../runtime/core/bytes.ts';
import { CHECK_VALUE_BLOCK, CHECK_VALUE_BYTES } from '../../../runtime/core/card/scp03-put-key.ts';
import { BLOCK_BYTES } from '../../../runtime/core/crypto/cmac.ts';
import { Fault } from '../../../runtime/core/faults.ts';
import { type RuleName, ruleOf } from '../../../runtime/core/key-policy.ts';
import { type Cryptoki, ck, guarded, type Handle } from './cryptoki.ts';
import { NO_POINTER, type PinnedMemory } from './pinned-memory.ts';
import { counterKdfParameter, SP800_108_COUNTER_KDF } from './sp800-108.ts';
import { readAttribute, templateOf } from './templates.ts';

const ZERO_BLOCK = Buffer.alloc(BLOCK_BYTES);
/** Longest key that is wrapped, in bytes. */
const WRAPPED_BYTES_MAX = 32;

export type KeyHandles = readonly [enc: Handle, mac: Handle, dek: Handle];
export type KeyRules = readonly [enc: RuleName, mac: RuleName, dek: RuleName];
export type Operations = ReturnType<typeof createOperations>;
/** Mechanisms that derive by enciphering block by block. */
type BlockMechanism = 'AES_ECB_ENCRYPT_DATA' | 'DES3_ECB_ENCRYPT_DATA';

/** Where the calls are made. */
export interface OperationsPlace {
  readonly cryptoki: Cryptoki;
  readonly session: Handle;
  /** Null where derivations over more than one block cannot be asked for. */
  readonly pinned: PinnedMemory | null;
}

/**
 * PKCS#11 calls on one session of its own. After an error in any of them the session may be left in the middle
 * of an operation, so whoever gets one closes it.
 */
export function createOperations({ cryptoki, session, pinned }: OperationsPlace) {
  const run = <Result>(action: () => Result): Result => guarded('HSM_FAILED', action);
  const encrypt = (key: Handle, mechanism: Parameters<Cryptoki['C_EncryptInit']>[1], data: Bytes): Buffer =>
    run(() => {
      cryptoki.C_EncryptInit(session, mechanism, key);
      return cryptoki.C_Encrypt(session, view(data), Buffer.alloc(data.length));
    });
  const ecb = (key: Handle, data: Bytes): Buffer => encrypt(key, { mechanism: ck.CKM_AES_ECB }, data);
  const { derive, deriveByBlocks, deriveNatively } = createDerivations({ cryptoki, session, pinned });
  return {
    ecb,
    derive,
    deriveByBlocks,
    deriveNatively,
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
        return cryptoki.C_Sign(session, view(message), Buffer.alloc(BLOCK_BYTES));
      }),
    /** SoftHSM signs a digest of any length, so the digest is made here. */
    sign: (key: Handle, message: Bytes): Buffer =>
      run(() => {
        const digest = createHash('sha256').update(message).digest();
        cryptoki.C_SignInit(session, { mechanism: ck.CKM_ECDSA }, key);
        return cryptoki.C_Sign(session, digest, Buffer.alloc(64));
      }),
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
        const room = Buffer.alloc(WRAPPED_BYTES_MAX);
        return Buffer.from(cryptoki.C_WrapKey(session, mechanism, wrapping, key, room));
      }),
    destroy: (key: Handle): void => run(() => cryptoki.C_DestroyObject(session, key)),
    /** Destroys every session object with it. */
    close: (): void => run(() => cryptoki.C_CloseSession(session)),
  };
}

/** Derivations from a key that may do nothing else. */
function createDerivations({ cryptoki, session, pinned }: OperationsPlace) {
  const deriveByBlocks = (
    base: Handle,
    blocks: Bytes,
    rule: RuleName,
    mechanism: BlockMechanism = 'AES_ECB_ENCRYPT_DATA',
  ): Handle => {
    if (pinned === null) throw new Fault('TOKEN_UNAVAILABLE', { mechanism, reason: NO_POINTER });
    const parameter = pinned.stringData(blocks);
    return guarded('HSM_FAILED', () =>
      cryptoki.C_DeriveKey(
        session,
        { mechanism: ck[`CKM_${mechanism}`], parameter },
        base,
        sessionTemplate(rule),
      ),
    );
  };
  /**
   * CMAC over a header block and `data`, and over a second header block too where the constant has two halves.
   * @param constant E(K, header) xor K1 for each header: 16 bytes for AES-128, 32 for AES-256
   * @param data 16 bytes
   */
  const derive = (base: Handle, constant: Bytes, data: Bytes, rule: RuleName): Handle => {
    if (constant.length > BLOCK_BYTES) return deriveByBlocks(base, xor(constant, concat(data, data)), rule);
    const parameter = { type: ck.CK_PARAMS_AES_CBC, iv: view(constant), data: view(data) };
    const mechanism = { mechanism: ck.CKM_AES_CBC_ENCRYPT_DATA, parameter };
    return guarded('HSM_FAILED', () => cryptoki.C_DeriveKey(session, mechanism, base, sessionTemplate(rule)));
  };
  /** The EID-KDF in one call. @param header its first block @param context the EID, 16 bytes */
  const deriveNatively = (base: Handle, header: Bytes, context: Bytes, rule: RuleName): Handle => {
    const mechanism = SP800_108_COUNTER_KDF;
    if (pinned === null) throw new Fault('TOKEN_UNAVAILABLE', { mechanism, reason: NO_POINTER });
    const parameter = counterKdfParameter(pinned, header, context);
    return guarded('HSM_FAILED', () =>
      cryptoki.C_DeriveKey(session, { mechanism, parameter }, base, sessionTemplate(rule)),
    );
  };
  return { derive, deriveByBlocks, deriveNatively };
}

/** One block enciphered under a master, in the clear: intermediate values of a derivation, never a key.
 * @param long the master derives block by block */
export function encipherReadable(
  { cryptoki, session }: OperationsPlace,
  token: Operations,
  master: Handle,
  block: Bytes,
  long: boolean,
): Bytes {
  const object = long
    ? token.deriveByBlocks(master, block, 'readable-block')
    : token.derive(master, new Uint8Array(BLOCK_BYTES), block, 'readable-block');
  const value = readAttribute(cryptoki, session, object, 'VALUE');
  token.destroy(object);
  return value;
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
