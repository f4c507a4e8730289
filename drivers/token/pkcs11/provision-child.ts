/** Does one provisioning job in a process of its own, and ends. */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { asFault, Fault, noteOf } from '../../../runtime/core/faults.ts';
import { writeConstants } from './ceremony/constants-file.ts';
import { createSecret, generatePair, generateSecret } from './ceremony/creation.ts';
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
import { openPinnedMemory } from './pinned-memory.ts';
import type { ProvisionJob, ProvisionReply } from './provision.ts';
import { auditToken } from './templates.ts';
import { handlesByLabel, publicPoint } from './vault.ts';

/** CK_TOKEN_INFO flag CKF_TOKEN_INITIALIZED. PKCS#11 2.40 section 3.2. */
const TOKEN_INITIALIZED = 0x0400;
/** Bytes of a token label, padded with spaces; pkcs11js pads with NUL. PKCS#11 2.40 section 5.5. */
const LABEL_BYTES = 32;

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
  const at = { cryptoki, session };
  const present = labels(cryptoki, session);
  const create = (name: string, action: () => void): void => {
    if (!present.has(name)) action();
    present.add(name);
  };
  for (const [name, source] of Object.entries(job.masters))
    create(name, () => (source === 'generated' ? generateSecret(at, name) : createSecret(at, name, source)));
  for (const name of job.signingKeys) create(name, () => generatePair(at, name));
  if (job.constants !== null) {
    create('constants-seal', () => generateSecret(at, 'constants-seal'));
    writeConstants(
      { cryptoki, session: openSession(cryptoki, slot), pinned: openPinnedMemory() },
      { ...job.constants, kdf: 'cbc-data' },
    );
  }
  auditToken(cryptoki, session, job.role);
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

function labels(cryptoki: Cryptoki, session: Handle): Set<string> {
  return new Set(
    [ck.CKO_SECRET_KEY, ck.CKO_PRIVATE_KEY].flatMap((kind) => [
      ...handlesByLabel(cryptoki, session, kind).keys(),
    ]),
  );
}
