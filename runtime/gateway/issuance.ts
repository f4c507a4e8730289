/**
 * The issuance of certificates: what will be signed is stored durably, then signed, then checked, then stored; the
 * first that was stored is the one there is. Requests that come together share their transactions.
 */
import { type Bytes, toHex } from '../core/bytes.ts';
import { Fault } from '../core/faults.ts';
import { assembleCertificate } from '../core/pki/certificate.ts';
import { lintSigned } from '../core/pki/lint.ts';
import type { CertificateIntent } from '../core/pki/profile.ts';
import type { CertificateRow } from '../core/store/ledger.ts';
import { grouped } from './grouped.ts';
import type { ReadyIssuer } from './issuers.ts';
import type { GatewayPorts } from './ports.ts';
import { revokedNow } from './trust.ts';

export interface Issuance {
  /** Stores the intent, or answers the one stored before for this EID and public key. Ask before anything is signed.
   * @throws Fault CERTIFICATE_REFUSED, LEDGER_UNAVAILABLE, TRUST_LIST_REFUSED */
  intend(row: CertificateRow, issuer: ReadyIssuer): Promise<CertificateRow>;
  /** Signs a stored intent and answers the certificate that is kept for it.
   * @param shape of the intent: what the signed bytes are held against
   * @throws Fault HSM_FAILED, CERTIFICATE_REFUSED, LEDGER_UNAVAILABLE */
  sign(row: CertificateRow, issuer: ReadyIssuer, shape: CertificateIntent): Promise<Bytes>;
}

const GROUP_MAX = 256;
const WAITING_MAX = 4096;

export function createIssuance(ports: GatewayPorts): Issuance {
  const limits = { groupMax: GROUP_MAX, queueMax: WAITING_MAX };
  const intend = grouped(
    (items: readonly { readonly row: CertificateRow; readonly issuer: ReadyIssuer }[]) =>
      intendAll(ports, items),
    { ...limits, namesOf: ({ row }) => [row.eid, row.serial, toHex(row.publicKey)] },
  );
  const store = grouped(
    (rows: readonly { readonly serial: string; readonly certificate: Bytes }[]) =>
      ports.ledger.storeCertificates(rows),
    { ...limits, namesOf: ({ serial }) => [serial] },
  );
  return {
    intend: async (row, issuer) => {
      const stored = await intend({ row, issuer });
      if (stored.serial !== row.serial) await demandNotRevoked(ports, stored);
      return stored;
    },
    sign: async (row, issuer, shape) => {
      const signature = await ports.token.sign(issuer.key, row.toBeSigned);
      const certificate = assembleCertificate(row.toBeSigned, signature);
      const violations = lintSigned(
        certificate,
        row.toBeSigned,
        shape,
        issuer.authority.publicKey,
        ports.crypto,
      );
      if (violations.length > 0) throw new Fault('HSM_FAILED', { violations: violations.join(', ') });
      return store({ serial: row.serial, certificate });
    },
  };
}

/** The trust list is read once for a group: what any gateway of this HSM was told counts for all. */
async function intendAll(
  ports: GatewayPorts,
  items: readonly { readonly row: CertificateRow; readonly issuer: ReadyIssuer }[],
): Promise<readonly (CertificateRow | Fault)[]> {
  const revoked = await revokedNow(ports);
  const allowed = items.filter(({ issuer }) => !revoked(issuer.naming.keyIdentifier));
  const answers = await ports.ledger.intendCertificates(allowed.map(({ row }) => row));
  const byItem = new Map(allowed.map((item, i) => [item, answers[i]]));
  return items.map(
    (item) =>
      byItem.get(item) ??
      new Fault('CERTIFICATE_REFUSED', { violations: 'issuer-revoked', issuer: item.issuer.name }),
  );
}

/** A certificate that is revoked is not handed out again, nor signed a second time. One that was drawn just now
 * cannot be: ask about those that were stored before. */
export async function demandNotRevoked(
  ports: Pick<GatewayPorts, 'ledger'>,
  { serial }: CertificateRow,
): Promise<void> {
  const revoked = await ports.ledger.revoked(serial);
  if (revoked !== null)
    throw new Fault('CERTIFICATE_REFUSED', { why: 'the certificate is revoked', serial: serial.slice(-8) });
}
