/**
 * NSS's software token in a process of its own: it derives natively what a constants file says of each set, and answers
 * the check values. NSS keeps no policy, so the masters are session objects here, and nothing else is asked of it.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pkcs11js from 'pkcs11js';
import { readConstants } from '../../drivers/token/pkcs11/constants.ts';
import { type Kdf, sourceFrom } from '../../drivers/token/pkcs11/derivation.ts';
import { createOperations } from '../../drivers/token/pkcs11/operations.ts';
import { openPinnedMemory } from '../../drivers/token/pkcs11/pinned-memory.ts';
import { listOf } from '../../drivers/token/pkcs11/templates.ts';
import { checkValuesOf } from '../../drivers/token/pkcs11/vault.ts';
import { asFault, noteOf } from '../../runtime/core/faults.ts';
import type { CheckValues } from '../../runtime/core/token.ts';

export interface NssJob {
  readonly module: string;
  /** For NSS's own database, which stays empty. */
  readonly directory: string;
  readonly constantsFile: string;
  readonly kdf: Kdf;
  /** Values of the masters by name; entries of others are left out. */
  readonly masters: Readonly<Record<string, Uint8Array>>;
  readonly eids: readonly string[];
}

export interface NssSet {
  readonly master: string;
  readonly keyVersion: number;
  readonly eid: string;
  readonly checkValues: CheckValues;
}
export type NssReply = { readonly sets: readonly NssSet[] } | { readonly failed: unknown };

process.on('disconnect', () => process.exit(0));
process.on('message', (job: NssJob) => {
  let reply: NssReply;
  try {
    reply = { sets: derive(job) };
  } catch (error) {
    reply = { failed: noteOf(asFault(error, 'UNEXPECTED', { reason: String(error) })) };
  }
  process.send?.(reply);
});

function derive({ module, directory, constantsFile, kdf, masters, eids }: NssJob): readonly NssSet[] {
  const database = join(directory, randomUUID());
  mkdirSync(database);
  const cryptoki = new pkcs11js.PKCS11();
  cryptoki.load(module);
  const libraryParameters = `configdir='sql:${database}' certPrefix='' keyPrefix='' secmod='' flags= `;
  cryptoki.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK, libraryParameters });
  const [slot] = cryptoki.C_GetSlotList(true);
  if (slot === undefined) throw new Error('no slot');
  const session = cryptoki.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION);
  const at = { cryptoki, session, pinned: openPinnedMemory() };
  const desk = { at, token: createOperations(at) };
  const handles = new Map(
    Object.entries(masters).map(([name, value]) => [
      name,
      cryptoki.C_CreateObject(session, [
        ...listOf({
          CLASS: pkcs11js.CKO_SECRET_KEY,
          KEY_TYPE: pkcs11js.CKK_AES,
          TOKEN: false,
          SENSITIVE: true,
          EXTRACTABLE: false,
          DERIVE: true,
        }),
        { type: pkcs11js.CKA_VALUE, value: Buffer.from(value) },
      ]),
    ]),
  );
  return readConstants(constantsFile).entries.flatMap((entry) => {
    const handle = handles.get(entry.master);
    if (handle === undefined) return [];
    return eids.map((eid) => {
      const source = sourceFrom(entry, handle, eid, kdf);
      const { master, keyVersion } = entry;
      return { master, keyVersion, eid, checkValues: checkValuesOf(desk, source, new Uint8Array(0)) };
    });
  });
}
