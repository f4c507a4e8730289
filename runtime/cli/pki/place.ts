/** Whom the settings of a program trust. */
import { trustedKeys } from '../../../config/parts.ts';
import { fromHex } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import type { TrustedKey } from '../../core/messages/envelope.ts';
import { jsonIn } from '../given.ts';
import type { Files } from '../means.ts';

/** Keys that settings of a program, or a file like them, say are trusted. @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
export function trustedIn(path: string, files: Files): readonly TrustedKey[] {
  const value = jsonIn(path, files);
  const listed = typeof value === 'object' && value !== null && 'trusted' in value ? value.trusted : null;
  const keys = trustedKeys.safeParse(listed);
  if (!keys.success)
    throw new Fault('CONFIG_INVALID', { file: path, why: 'trusted is missing or malformed' });
  return keys.data.map(({ name, role, publicKey }) => ({ name, role, publicKey: fromHex(publicKey) }));
}
