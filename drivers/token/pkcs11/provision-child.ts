/** Does one provisioning job in a process of its own, and ends. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { asFault, Fault, noteOf } from '../../../runtime/core/faults.ts';
import {
  type ConstantEntry,
  computeIvs,
  demandDiversified,
  demandUnique,
  encodeConstants,
  readConstants,
  sealedText,
  TEST_EID,
} from './constants.ts';
import {
  type Cryptoki,
  ck,
  findSlot,
  guarded,
  type Handle,
  loadModule,
  logIn,
  openSession,
  readSecret,
} from './cryptoki.ts';
import { sourceFrom, testDataOf } from './derivation.ts';
import { ruleFor } from './key-policy.ts';
import { createOperations, encipherReadable, type Operations, type OperationsPlace } from './operations.ts';
import { openPinnedMemory } from './pinned-memory.ts';
import type { ProvisionJob, ProvisionReply } from './provision.ts';
import { auditToken, listOf, templateOf } from './templates.ts';
import { checkValuesOf, handlesByLabel, publicPoint } from './vault.ts';

/** CK_TOKEN_INFO flag CKF_TOKEN_INITIALIZED. PKCS#11 2.40 section 3.2. */
const TOKEN_INITIALIZED = 0x0400;
/** Bytes of a token label, padded with spaces; pkcs11js pads with NUL. PKCS#11 2.40 section 5.5. */
const LABEL_BYTES = 32;
/** A triple DES master of two keys comes with the first of them repeated. */
const MASTER_BYTES = { 'aes-128': 16, 'aes-256': 32, 'des-3': 24 } as const;

process.on('disconnect', () => process.exit(0));
process.on('message', (job: ProvisionJob) => {
  let reply: ProvisionReply;
  try {
    reply = { kind: 'done', publicKeys: provision(job) };
  } catch (error) {
    reply = { kind: 'failed', fault: noteOf(asFault(error, 'UNEXPECTED')) };
  }
  process.send?.(reply);
});

function provision(job: ProvisionJob): Readonly<Record<string, Bytes>> {
  const cryptoki = loadModule(job.module);
  if (!hasToken(cryptoki, job.label)) initialise(cryptoki, job);
  const slot = findSlot(cryptoki, job.label);
  const session = logIn(cryptoki, slot, job.pinFile);
  const create = (name: string, action: () => void): void => {
    if (!labels(cryptoki, session).has(name)) guarded('HSM_FAILED', action);
  };
  for (const [name, source] of Object.entries(job.masters))
    create(name, () => createMaster(cryptoki, session, name, source));
  for (const name of job.signingKeys) create(name, () => createSigningKey(cryptoki, session, name));
  if (job.constants !== null) {
    create('constants-seal', () => createMaster(cryptoki, session, 'constants-seal', 'generated'));
    writeConstants(
      { cryptoki, session: openSession(cryptoki, slot), pinned: openPinnedMemory() },
      job.constants,
    );
  }
  auditToken(cryptoki, session);
  const points = handlesByLabel(cryptoki, session, ck.CKO_PUBLIC_KEY);
  return Object.fromEntries(
    [...points].map(([name, handle]) => [name, publicPoint(cryptoki, session, handle)]),
  );
}

function hasToken(cryptoki: Cryptoki, label: string): boolean {
  return cryptoki
    .C_GetSlotList(true)
    .some((slot) => cryptoki.C_GetTokenInfo(slot).label.replaceAll('\0', '').trim() === label);
}

/** Takes the slot that SoftHSM keeps free for a new token. */
function initialise(cryptoki: Cryptoki, job: ProvisionJob): void {
  const soPin = readSecret(job.soPinFile).trim();
  guarded('TOKEN_UNAVAILABLE', () => {
    const free = cryptoki
      .C_GetSlotList(true)
      .find((slot) => (cryptoki.C_GetTokenInfo(slot).flags & TOKEN_INITIALIZED) === 0);
    if (free === undefined) throw new Fault('TOKEN_UNAVAILABLE', { reason: 'no free slot' });
    cryptoki.C_InitToken(free, soPin, job.label.padEnd(LABEL_BYTES));
    const session = openSession(cryptoki, findSlot(cryptoki, job.label));
    cryptoki.C_Login(session, ck.CKU_SO, soPin);
    cryptoki.C_InitPIN(session, readSecret(job.pinFile).trim());
    cryptoki.C_Logout(session);
    cryptoki.C_CloseSession(session);
  });
}

function labels(cryptoki: Cryptoki, session: Handle): ReadonlySet<string> {
  return new Set(
    [ck.CKO_SECRET_KEY, ck.CKO_PRIVATE_KEY].flatMap((kind) => [
      ...handlesByLabel(cryptoki, session, kind).keys(),
    ]),
  );
}

function createMaster(cryptoki: Cryptoki, session: Handle, name: string, source: Bytes | 'generated'): void {
  const rule = ruleFor('secret', name);
  if (rule === undefined) throw new Fault('KEY_POLICY_BROKEN', { key: name, attribute: 'unknown object' });
  const template = templateOf(rule, name, Buffer.from(name));
  const size = MASTER_BYTES[rule.type as keyof typeof MASTER_BYTES];
  if (source === 'generated') {
    if (rule.type === 'des-3') throw new RangeError('a triple DES master comes from its vendor');
    cryptoki.C_GenerateKey(session, { mechanism: ck.CKM_AES_KEY_GEN }, template);
  } else {
    if (source.length !== size) throw new RangeError(`${name} has ${size} bytes`);
    const length = listOf({ VALUE_LEN: 32 })[0]?.type;
    const value = listOf({ VALUE: Buffer.from(source) });
    // A created object tells its length by its value.
    cryptoki.C_CreateObject(session, [...value, ...template.filter(({ type }) => type !== length)]);
  }
}

function createSigningKey(cryptoki: Cryptoki, session: Handle, name: string): void {
  const [verifying, signing] = [ruleFor('public', name), ruleFor('private', name)];
  if (verifying === undefined || signing === undefined)
    throw new Fault('KEY_POLICY_BROKEN', { key: name, attribute: 'unknown object' });
  const id = Buffer.from(name);
  cryptoki.C_GenerateKeyPair(
    session,
    { mechanism: ck.CKM_EC_KEY_PAIR_GEN },
    templateOf(verifying, name, id),
    templateOf(signing, name, id),
  );
}

/** Computes what the file lacks and seals the whole anew. @throws Fault KEY_POLICY_BROKEN */
function writeConstants(
  at: OperationsPlace,
  { constantsFile, keyVersions }: NonNullable<ProvisionJob['constants']>,
): void {
  const token = createOperations(at);
  const known = existsSync(constantsFile) ? readConstants(constantsFile).entries : [];
  const handles = handlesByLabel(at.cryptoki, at.session, ck.CKO_SECRET_KEY);
  const fresh = Object.entries(keyVersions).flatMap(([master, versions]) => {
    const handle = handles.get(master);
    if (handle === undefined) throw new Fault('CONFIG_INVALID', { master, reason: 'not in the token' });
    return versions
      .filter((version) => !known.some((one) => one.master === master && one.keyVersion === version))
      .map((version) => computeEntry(at, token, { master, handle, keyVersion: version }));
  });
  const seal = handles.get('constants-seal');
  if (fresh.length === 0 || seal === undefined) return;
  const entries = [...known, ...fresh];
  demandUnique(entries);
  const sealed = { entries, seal: token.cmac(seal, sealedText(entries)) };
  const fresher = `${constantsFile}.new`;
  writeFileSync(fresher, encodeConstants(sealed), { mode: 0o600 });
  renameSync(fresher, constantsFile);
}

/** Sees the master's cipher in the clear: derived blocks that may be read. */
function computeEntry(
  at: OperationsPlace,
  token: Operations,
  { master, handle, keyVersion }: { master: string; handle: Handle; keyVersion: number },
): ConstantEntry {
  const long = ruleFor('secret', master)?.mechanisms.includes('AES_ECB_ENCRYPT_DATA') ?? false;
  const ivs = computeIvs(master, keyVersion, (block) => encipherReadable(at, token, handle, block, long));
  const bare: ConstantEntry = { master, keyVersion, ivs, checkValues: ['', '', ''] };
  const valuesOf = (eid: string) =>
    checkValuesOf({ at, token }, sourceFrom(bare, handle, eid, 'cbc-data'), testDataOf(eid));
  const entry = { ...bare, checkValues: valuesOf(TEST_EID) };
  demandDiversified(entry, valuesOf);
  return entry;
}
