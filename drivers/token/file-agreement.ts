/** A P-256 key in a file that only agrees on secrets: of somebody to whom keys are carried. */
import type { AgreementKey } from '../../runtime/core/ports.ts';
import { agreementKeyOf } from '../crypto/agreement.ts';
import { readP256Scalar } from './file-signer.ts';

/** PKCS#8 PEM that nobody but its owner may read. @throws Fault FILE_UNREADABLE */
export async function openFileAgreementKey(path: string): Promise<AgreementKey> {
  return agreementKeyOf(await readP256Scalar(path));
}
