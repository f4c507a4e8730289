/**
 * A signing key of a token in this process, for a station's envelopes. The OpenSSL engine may use the same module
 * beside it, before or after: whoever comes first initialises it, and nobody finalises it.
 */
import { Fault } from '../../../runtime/core/faults.ts';
import type { Signer } from '../../../runtime/core/ports.ts';

export interface Pkcs11SignerOptions {
  readonly module: string;
  readonly label: string;
  readonly pinFile: string;
  /** Label of the key pair. */
  readonly key: string;
}

/** @throws Fault TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG, FILE_UNREADABLE */
export async function openPkcs11Signer(options: Pkcs11SignerOptions): Promise<Signer & AsyncDisposable> {
  const { ck, findSlot, loadModule, logIn, openSession } = await import('./cryptoki.ts');
  const { handlesByLabel, publicPoint } = await import('./vault.ts');
  const { createOperations } = await import('./operations.ts');
  const cryptoki = loadModule(options.module);
  const slot = findSlot(cryptoki, options.label);
  const login = logIn(cryptoki, slot, options.pinFile);
  const privateKey = handlesByLabel(cryptoki, login, ck.CKO_PRIVATE_KEY).get(options.key);
  const point = handlesByLabel(cryptoki, login, ck.CKO_PUBLIC_KEY).get(options.key);
  if (privateKey === undefined || point === undefined)
    throw new Fault('TOKEN_UNAVAILABLE', { label: options.label, reason: 'no such key', key: options.key });
  let operations = createOperations({ cryptoki, session: openSession(cryptoki, slot), pinned: null });
  const publicKey = publicPoint(cryptoki, login, point);
  return {
    publicKey,
    sign: async (message) => {
      try {
        return operations.sign(privateKey, message, publicKey.length);
      } catch (error) {
        // The session may be left in the middle of an operation.
        operations.close();
        operations = createOperations({ cryptoki, session: openSession(cryptoki, slot), pinned: null });
        throw error;
      }
    },
    [Symbol.asyncDispose]: async () => {
      operations.close();
      cryptoki.C_CloseSession(login);
    },
  };
}
