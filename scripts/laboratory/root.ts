/**
 * The laboratory's offline root and its officers: the code of `holdfast pki root`, with key files where a factory has
 * tokens and people.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRootDirectory, openRootDirectory } from '../../drivers/certificates/root-directory.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import { type Bytes, fromText, toHex } from '../../runtime/core/bytes.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { type ApprovalPurpose, approvalStatement } from '../../runtime/core/messages/approval.ts';
import { seal } from '../../runtime/core/messages/envelope.ts';
import { toPem } from '../../runtime/core/pki/pem.ts';
import { documentationIdentifiers, serialFrom } from '../../runtime/core/pki/profile.ts';
import {
  type CertifyPlan,
  planHashOf,
  type RootDirectory,
  type RootForm,
} from '../../runtime/core/pki/root.ts';
import {
  certifyIntermediate,
  issueRootCrl,
  makeRoot,
  type RootWork,
  rootOf,
} from '../../runtime/core/pki/root-office.ts';
import { FAR_DATE_MS } from '../../runtime/core/pki/time.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { p256KeyFile } from './keys.ts';
import type { LinePlaces } from './places.ts';

export const OFFICERS = ['officer-1', 'officer-2'] as const;
export const QUORUM = { required: 2, officers: [...OFFICERS] };

const DAY_MS = 86_400_000;
const CRL_DAYS = 365;

export function officerKey(places: LinePlaces, name: string): Promise<Signer> {
  return openFileSigner(p256KeyFile(join(places.pki, `${name}.key`)));
}

/** Makes root and issuer where they are missing; answers the files of both certificates and of the root's list. */
export async function certifyLaboratory(
  places: LinePlaces,
  issuer: { readonly name: string; readonly commonName: string; readonly publicKey: Bytes },
): Promise<{ readonly root: string; readonly issuer: string; readonly crl: string }> {
  const files = {
    root: join(places.offlineRoot, 'root.pem'),
    issuer: join(places.pki, 'issuer.pem'),
    crl: join(places.crl, 'root.crl.pem'),
  };
  await makeRootDirectory(places.offlineRoot, await formOf(places));
  const directory = await openRootDirectory(places.offlineRoot);
  try {
    const work = { directory, crypto: nodeCrypto, nowMs: Math.floor(Date.now() / 1000) * 1000 };
    const birth = {
      serial: serialFrom(randomBytes(16)),
      notBeforeMs: work.nowMs - 60_000,
      notAfterMs: FAR_DATE_MS,
    };
    writeFileSync(files.root, toPem('CERTIFICATE', await makeRoot(birth, work)));
    if (!existsSync(files.crl)) writeFileSync(files.crl, toPem('X509 CRL', await firstList(work)));
    if (!existsSync(files.issuer))
      writeFileSync(files.issuer, toPem('CERTIFICATE', await certified(places, issuer, work)));
    return files;
  } finally {
    await directory.close();
  }
}

async function formOf(places: LinePlaces): Promise<RootForm> {
  const officers = await Promise.all(
    OFFICERS.map(async (name) => ({ name, publicKey: toHex((await officerKey(places, name)).publicKey) })),
  );
  return {
    contract: 'holdfast/root-1',
    commonName: 'Laboratory fleet root',
    key: { file: 'root.key' },
    quorum: QUORUM,
    officers,
    hardwareType: documentationIdentifiers.hardwareType,
    batchExtension: documentationIdentifiers.manufacturing,
    scopeExtension: documentationIdentifiers.scope ?? '',
    crlDays: CRL_DAYS,
  };
}

function firstList(work: RootWork): Promise<Bytes> {
  const plan = {
    contract: 'holdfast/root-crl-plan-1' as const,
    root: rootName(work.directory),
    number: 1,
    thisUpdate: instantOf(work.nowMs - 60_000),
    nextUpdate: instantOf(work.nowMs + CRL_DAYS * DAY_MS),
    revoked: [],
  };
  return issueRootCrl(plan, [], work);
}

async function certified(
  places: LinePlaces,
  {
    name,
    commonName,
    publicKey,
  }: { readonly name: string; readonly commonName: string; readonly publicKey: Bytes },
  work: RootWork,
): Promise<Bytes> {
  const plan: CertifyPlan = {
    contract: 'holdfast/certify-plan-1',
    root: rootName(work.directory),
    name,
    commonName,
    publicKey: toHex(publicKey),
    scope: null,
    distributionPoint: null,
    serial: toHex(serialFrom(randomBytes(16))),
    notBefore: instantOf(work.nowMs - 60_000),
    notAfter: instantOf(FAR_DATE_MS),
  };
  const approvals = await Promise.all(
    OFFICERS.map((officer) =>
      approveSubject(places, officer, {
        subject: planHashOf(plan, nodeCrypto),
        purpose: 'ceremony',
        nowMs: work.nowMs,
      }),
    ),
  );
  return certifyIntermediate(plan, approvals, work);
}

/** An officer's approval of what has this hash, for a day. */
export async function approveSubject(
  places: LinePlaces,
  officer: string,
  {
    subject,
    purpose,
    nowMs,
  }: { readonly subject: string; readonly purpose: ApprovalPurpose; readonly nowMs: number },
): Promise<string> {
  const payload = {
    purpose,
    subject,
    officer,
    reason: 'set-up of a laboratory',
    approvedAt: instantOf(nowMs),
    notAfter: instantOf(nowMs + DAY_MS),
  };
  return seal(approvalStatement, payload, await officerKey(places, officer), nodeCrypto);
}

function rootName(directory: RootDirectory): string {
  return toHex(rootOf(directory).keyIdentifier ?? fromText(''));
}
