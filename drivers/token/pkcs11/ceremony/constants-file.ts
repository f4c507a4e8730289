/** The constants file as a ceremony writes it: what is missing is computed, what is there is checked. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { Fault } from '../../../../runtime/core/faults.ts';
import { isNative, type Kdf, ruleFor } from '../../../../runtime/core/key-policy.ts';
import {
  type ConstantEntry,
  computeIvs,
  demandDiversified,
  demandUnique,
  encodeConstants,
  NO_IVS,
  readConstants,
  sealedText,
  TEST_EID,
} from '../constants.ts';
import { ck, type Handle } from '../cryptoki.ts';
import { sourceFrom, testDataOf } from '../derivation.ts';
import { createOperations, encipherReadable, type Operations, type OperationsPlace } from '../operations.ts';
import { checkValuesOf, handlesByLabel } from '../vault.ts';

export interface ConstantsDemand {
  readonly constantsFile: string;
  /** Key versions of each master. */
  readonly keyVersions: Readonly<Record<string, readonly number[]>>;
  readonly kdf: Kdf;
}

/** Computes what the file lacks and seals the whole anew. @throws Fault KEY_POLICY_BROKEN */
export function writeConstants(
  at: OperationsPlace,
  { constantsFile, keyVersions, kdf }: ConstantsDemand,
): readonly ConstantEntry[] {
  const token = createOperations(at);
  const known = existsSync(constantsFile) ? readConstants(constantsFile).entries : [];
  const handles = handlesByLabel(at.cryptoki, at.session, ck.CKO_SECRET_KEY);
  const fresh = Object.entries(keyVersions).flatMap(([master, versions]) => {
    const handle = handles.get(master);
    if (handle === undefined) throw new Fault('CONFIG_INVALID', { master, reason: 'not in the token' });
    return versions
      .filter((version) => !known.some((one) => one.master === master && one.keyVersion === version))
      .map((version) => computeEntry(at, token, { master, handle, keyVersion: version, kdf }));
  });
  const seal = handles.get('constants-seal');
  if (fresh.length === 0 || seal === undefined) return known;
  const entries = [...known, ...fresh];
  demandUnique(entries);
  const sealed = { entries, seal: token.cmac(seal, sealedText(entries)) };
  const fresher = `${constantsFile}.new`;
  writeFileSync(fresher, encodeConstants(sealed), { mode: 0o600 });
  renameSync(fresher, constantsFile);
  return entries;
}

/** Sees the master's cipher in the clear, derived blocks that may be read, unless the token derives natively: then there
 * is nothing but the check values. */
export function computeEntry(
  at: OperationsPlace,
  token: Operations,
  { master, handle, keyVersion, kdf }: { master: string; handle: Handle; keyVersion: number; kdf: Kdf },
): ConstantEntry {
  const rule = ruleFor('secret', master, kdf);
  const long = rule?.mechanisms.includes('AES_ECB_ENCRYPT_DATA') ?? false;
  const ivs =
    rule !== undefined && isNative(rule)
      ? NO_IVS
      : computeIvs(master, keyVersion, (block) => encipherReadable(at, token, handle, block, long));
  const bare: ConstantEntry = { master, keyVersion, ivs, checkValues: ['', '', ''] };
  const valuesOf = (eid: string) =>
    checkValuesOf({ at, token }, sourceFrom(bare, handle, eid, kdf), testDataOf(eid));
  const entry = { ...bare, checkValues: valuesOf(TEST_EID) };
  demandDiversified(entry, valuesOf);
  return entry;
}
