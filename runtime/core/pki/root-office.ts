/**
 * What the root does: its own certificate, certificates of intermediates, and lists. The intent stands in its
 * directory before anything is signed; the same plan gives the same certificate again.
 */
import { equal, fromBase64, fromHex, toBase64, toHex } from '../bytes.ts';
import { Fault } from '../faults.ts';
import { instantOf } from '../instant.ts';
import { type ApprovalPurpose, demandApprovals } from '../messages/approval.ts';
import type { Crypto } from '../ports.ts';
import { algorithmOf, keyIdentifierOf, verifiesUnder } from './algorithm.ts';
import { authorityToBeSigned, type ParsedAuthority, parseAuthority } from './authority.ts';
import { assembleCertificate } from './certificate.ts';
import { assembleCrl, crlToBeSigned } from './crl.ts';
import {
  type CertifyPlan,
  identifiersOfRoot,
  intermediateIntent,
  planHashOf,
  type RootCrlPlan,
  type RootDirectory,
  rootCrlIntent,
} from './root.ts';

export interface RootWork {
  readonly directory: RootDirectory;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

export interface RootBirth {
  /** 16 bytes from `serialFrom`. */
  readonly serial: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Signs itself, once; a directory that has a root keeps it. Answers the certificate, DER.
 * @throws Fault ROOT_REFUSED */
export function makeRoot(birth: RootBirth, work: RootWork): Promise<Uint8Array> {
  const { directory, crypto } = work;
  const { signer, form } = directory;
  const known = directory.entries.find((one) => one.kind === 'root');
  if (known !== undefined) return Promise.resolve(fromBase64(known.certificate));
  const tbs = authorityToBeSigned(
    {
      ...birth,
      commonName: form.commonName,
      issuer: null,
      publicKey: signer.publicKey,
      keyIdentifier: keyIdentifierOf(signer.publicKey, crypto),
      pathLength: 1,
      scope: null,
      distributionPoint: null,
      identifiers: identifiersOfRoot(form),
    },
    algorithmOf(signer.publicKey),
  );
  return sign(tbs, planHashOf(form, crypto), work).then((signature) => {
    const certificate = assembleCertificate(tbs, signature);
    const entry = { kind: 'root' as const, certificate: toBase64(certificate), at: instantOf(work.nowMs) };
    return directory.append(entry).then(() => certificate);
  });
}

/** @throws Fault ROOT_REFUSED when there is none */
export function rootOf(directory: RootDirectory): ParsedAuthority {
  const found = directory.entries.find((one) => one.kind === 'root');
  if (found === undefined) throw new Fault('ROOT_REFUSED', { why: 'this directory has no root yet' });
  return parseAuthority(fromBase64(found.certificate), identifiersOfRoot(directory.form));
}

/** Answers the certificate, DER; an executed plan answers the same again.
 * @throws Fault ROOT_REFUSED, APPROVALS_MISSING, APPROVAL_REFUSED */
export function certifyIntermediate(
  plan: CertifyPlan,
  approvals: readonly string[],
  work: RootWork,
): Promise<Uint8Array> {
  const { directory, crypto, nowMs } = work;
  const hash = planHashOf(plan, crypto);
  const known = directory.entries.find((one) => one.kind === 'certified' && one.plan === hash);
  if (known?.kind === 'certified') return Promise.resolve(fromBase64(known.certificate));
  const root = rootOf(directory);
  const intent = intermediateIntent(plan, root, directory.entries, directory.form, crypto);
  const spent = demandOfficers(approvals, 'ceremony', hash, work);
  const tbs = authorityToBeSigned(intent, algorithmOf(root.publicKey));
  return sign(tbs, hash, work).then((signature) => {
    const certificate = assembleCertificate(tbs, signature);
    const parsed = parseAuthority(certificate, intent.identifiers);
    if (!equal(parsed.publicKey, fromHex(plan.publicKey)) || parsed.pathLength !== 0)
      throw new Fault('ROOT_REFUSED', { why: 'what was built is not what was planned' });
    const entry = {
      kind: 'certified' as const,
      plan: hash,
      name: plan.name,
      serial: toHex(parsed.serial),
      certificate: toBase64(certificate),
      approvals: spent,
      at: instantOf(nowMs),
    };
    return directory.append(entry).then(() => certificate);
  });
}

/** Answers the list, DER; an executed plan answers the same again.
 * @throws Fault ROOT_REFUSED, APPROVALS_MISSING, APPROVAL_REFUSED */
export function issueRootCrl(
  plan: RootCrlPlan,
  approvals: readonly string[],
  work: RootWork,
): Promise<Uint8Array> {
  const { directory, crypto, nowMs } = work;
  const hash = planHashOf(plan, crypto);
  const known = directory.entries.find((one) => one.kind === 'crl' && one.plan === hash);
  if (known?.kind === 'crl') return Promise.resolve(fromBase64(known.crl));
  const tbs = crlToBeSigned(rootCrlIntent(plan, rootOf(directory), directory.entries));
  // The first, without entries, comes with the root itself: nobody has anything to decide.
  const first = plan.number === 1 && plan.revoked.length === 0;
  const spent = first ? [] : demandOfficers(approvals, 'revocation', hash, work);
  return sign(tbs, hash, work).then((signature) => {
    const crl = assembleCrl(tbs, signature);
    const entry = {
      kind: 'crl' as const,
      plan: hash,
      number: plan.number,
      crl: toBase64(crl),
      revoked: plan.revoked,
      approvals: spent,
      at: instantOf(nowMs),
    };
    return directory.append(entry).then(() => crl);
  });
}

function demandOfficers(
  approvals: readonly string[],
  purpose: ApprovalPurpose,
  subject: string,
  { directory, crypto, nowMs }: RootWork,
): string[] {
  const { quorum, officers } = directory.form;
  const trusted = officers.map(({ name, publicKey }) => ({
    name,
    role: 'officer' as const,
    publicKey: fromHex(publicKey),
  }));
  return demandApprovals(approvals, { purpose, subject, quorum, nowMs }, trusted, crypto).map(
    ({ approval }) => approval,
  );
}

/** Writes the intent, signs, and verifies what came back. @throws Fault ROOT_REFUSED */
function sign(toBeSigned: Uint8Array, plan: string, work: RootWork): Promise<Uint8Array> {
  const { directory, crypto, nowMs } = work;
  const { signer } = directory;
  const intent = { kind: 'intent' as const, plan, toBeSigned: toBase64(toBeSigned), at: instantOf(nowMs) };
  return directory
    .append(intent)
    .then(() => signer.sign(toBeSigned))
    .then((signature) => {
      if (!verifiesUnder(crypto, signer.publicKey, toBeSigned, signature))
        throw new Fault('ROOT_REFUSED', { why: 'the signature does not verify' });
      return signature;
    });
}
