/**
 * The two keys of a station in its own token, made there where they are missing. SoftHSM takes every attribute that the
 * key policy names; a TPM behind tpm2-pkcs11 knows fewer, and is asked with those that it has.
 */
import { Fault } from '../../../runtime/core/faults.ts';
import type { Signer } from '../../../runtime/core/ports.ts';
import type { Template } from './cryptoki.ts';
import { openPkcs11Signer } from './signer.ts';

export interface StationKeysOptions {
  readonly module: string;
  readonly label: string;
  readonly pinFile: string;
  readonly tlsKey: string;
  readonly envelopeKey: string;
}

export interface StationKeys extends AsyncDisposable {
  readonly tls: Signer;
  readonly envelope: Signer;
  /** Labels of the keys that were made now. */
  readonly made: readonly string[];
}

/** @throws Fault TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG, FILE_UNREADABLE, HSM_FAILED */
export async function openStationKeys(
  options: StationKeysOptions,
  make: 'make-missing' | 'demand',
): Promise<StationKeys> {
  const { module, label, pinFile, tlsKey, envelopeKey } = options;
  const wanted = [tlsKey, envelopeKey];
  const made = make === 'make-missing' ? await makeMissing(options, wanted) : [];
  const tls = await openPkcs11Signer({ module, label, pinFile, key: tlsKey });
  const envelope = await openPkcs11Signer({ module, label, pinFile, key: envelopeKey });
  return {
    ...{ tls, envelope, made },
    [Symbol.asyncDispose]: async () => {
      await envelope[Symbol.asyncDispose]();
      await tls[Symbol.asyncDispose]();
    },
  };
}

/** Errors of a module that does not know an attribute of the template. PKCS#11 2.40 section 5.1. */
const UNKNOWN_ATTRIBUTE = /^CKR_(?:ATTRIBUTE_|TEMPLATE_|ARGUMENTS_BAD|FUNCTION_NOT_SUPPORTED|GENERAL_ERROR)/;

async function makeMissing(
  { module, label, pinFile }: StationKeysOptions,
  names: readonly string[],
): Promise<readonly string[]> {
  const { ck, findSlot, guarded, loadModule, logIn } = await import('./cryptoki.ts');
  const { handlesByLabel } = await import('./vault.ts');
  const { listOf, templateOf } = await import('./templates.ts');
  const { ruleFor } = await import('../../../runtime/core/key-policy.ts');
  const cryptoki = loadModule(module);
  const session = logIn(cryptoki, findSlot(cryptoki, label), pinFile);
  const present = handlesByLabel(cryptoki, session, ck.CKO_PRIVATE_KEY);
  const missing = names.filter((name) => !present.has(name));
  for (const name of missing) {
    const [verifying, signing] = [ruleFor('public', name), ruleFor('private', name)];
    if (verifying === undefined || signing === undefined)
      throw new Fault('KEY_POLICY_BROKEN', { key: name, attribute: 'unknown object' });
    const generate = (publicKey: Template, privateKey: Template): void =>
      guarded('HSM_FAILED', () => {
        cryptoki.C_GenerateKeyPair(session, { mechanism: ck.CKM_EC_KEY_PAIR_GEN }, publicKey, privateKey);
      });
    try {
      generate(templateOf(verifying, name), templateOf(signing, name));
    } catch (error) {
      const ckr = error instanceof Fault ? String(error.context.ckr) : '';
      if (!UNKNOWN_ATTRIBUTE.test(ckr)) throw error;
      const own = { TOKEN: true, LABEL: name, ID: name };
      const params = '06082a8648ce3d030107'; // P-256. RFC 5480 section 2.1.1.1.
      generate(
        listOf({ CLASS: 'PUBLIC_KEY', KEY_TYPE: 'EC', ...own, VERIFY: true, EC_PARAMS: params }),
        listOf({
          CLASS: 'PRIVATE_KEY',
          KEY_TYPE: 'EC',
          ...own,
          PRIVATE: true,
          SENSITIVE: true,
          SIGN: true,
        }),
      );
    }
  }
  return missing;
}
