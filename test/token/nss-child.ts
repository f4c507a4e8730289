/**
 * NSS's software token in a process of its own: it derives natively what a constants file says of each set, and answers
 * the check values. NSS keeps no such attributes with token objects, so the
 * masters are session objects of the key policy here; it enforces none of the mechanisms.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pkcs11js from 'pkcs11js';
import { computeEntry } from '../../drivers/token/pkcs11/ceremony/constants-file.ts';
import { passing, ruleNamed } from '../../drivers/token/pkcs11/ceremony/creation.ts';
import { checkValueOf } from '../../drivers/token/pkcs11/ceremony/reading.ts';
import { type ConstantEntry, readConstants } from '../../drivers/token/pkcs11/constants.ts';
import type { Handle } from '../../drivers/token/pkcs11/cryptoki.ts';
import { sourceFrom } from '../../drivers/token/pkcs11/derivation.ts';
import { createOperations } from '../../drivers/token/pkcs11/operations.ts';
import { openPinnedMemory } from '../../drivers/token/pkcs11/pinned-memory.ts';
import { checkValuesOf } from '../../drivers/token/pkcs11/vault.ts';
import { asFault, noteOf } from '../../runtime/core/faults.ts';
import type { Kdf } from '../../runtime/core/key-policy.ts';
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
export interface NssDerived {
  readonly sets: readonly NssSet[];
  /** What a ceremony would write of the same masters. */
  readonly entries: readonly ConstantEntry[];
  /** Check values of the masters by name. */
  readonly masters: Readonly<Record<string, string>>;
}
export type NssReply = NssDerived | { readonly failed: unknown };

process.on('disconnect', () => process.exit(0));
process.on('message', (job: NssJob) => {
  let reply: NssReply;
  try {
    reply = derive(job);
  } catch (error) {
    reply = { failed: noteOf(asFault(error, 'UNEXPECTED', { reason: String(error) })) };
  }
  process.send?.(reply);
});

function derive({ module, directory, constantsFile, kdf, masters, eids }: NssJob): NssDerived {
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
        { type: pkcs11js.CKA_VALUE, value: Buffer.from(value) },
        ...passing(ruleNamed('secret', name, kdf), name),
      ]),
    ]),
  );
  const known = readConstants(constantsFile).entries.filter(({ master }) => handles.has(master));
  const entries = known.map(({ master, keyVersion }) => {
    const handle = handles.get(master) ?? assert.fail();
    return computeEntry(at, desk.token, { master, handle, keyVersion, kdf });
  });
  const checked = ([name, handle]: readonly [string, Handle]) =>
    [name, checkValueOf(desk, handle, ruleNamed('secret', name, kdf))] as const;
  const sets = known.flatMap((entry) => {
    const handle = handles.get(entry.master);
    if (handle === undefined) return [];
    return eids.map((eid) => {
      const source = sourceFrom(entry, handle, eid, kdf);
      const { master, keyVersion } = entry;
      return { master, keyVersion, eid, checkValues: checkValuesOf(desk, source, new Uint8Array(0)) };
    });
  });
  return { sets, entries, masters: Object.fromEntries([...handles].map(checked)) };
}
