/** What the fleet says of the units that a revocation aims at, and of whatever hangs by the same intermediates. */
import { Fault } from '../core/faults.ts';
import {
  type Aim,
  isAimedAt,
  PLAN_CERTIFICATES_MAX,
  planOf,
  type RevocationPlan,
  type TouchedIssuer,
} from '../core/pki/revocation-plan.ts';
import type { FleetTransaction } from '../core/store/fleet.ts';
import type { CertificateKey, UnitCertificateRow } from '../core/store/revocation.ts';
import type { RevocationSettings } from './instructions/revocation.ts';

const keys: Readonly<Record<Aim['kind'], CertificateKey>> = {
  eid: 'eid',
  batch: 'batch',
  intermediate: 'issuer',
  station: 'station',
};

/** @throws Fault REVOCATION_REFUSED when nothing is aimed at, or too much for one plan */
export async function planRevocation(
  tx: FleetTransaction,
  asked: Pick<RevocationPlan, 'aim' | 'way' | 'reason' | 'madeAt'>,
  { quorum, crlDays, rootCrlDays }: RevocationSettings,
): Promise<RevocationPlan> {
  const { aim } = asked;
  const found = await bounded(tx, keys[aim.kind], aim.value);
  const aimed = found.filter((row) => isAimedAt(aim, row));
  const names = [...new Set(aimed.map(({ issuer }) => issuer))].sort();
  if (names.length === 0)
    throw new Fault('REVOCATION_REFUSED', { why: 'no certificate is aimed at', aim: aim.value });
  const whole = new Map((await tx.revokedIssuers()).map((row) => [row.issuer, row]));
  const issuers: TouchedIssuer[] = [];
  for (const name of names) {
    const certificates = aim.kind === 'intermediate' ? found : await bounded(tx, 'issuer', name);
    const revoked = await tx.revocationsOf(name);
    issuers.push({
      name,
      keyIdentifier: certificates[0]?.issuerKeyId ?? '',
      certificates,
      revoked: new Set(revoked.map(({ serial }) => serial)),
      revokedAsAWhole: whole.has(name),
    });
  }
  return planOf({ ...asked, aimed, issuers, quorum, crlDays, rootCrlDays });
}

/** @throws Fault REVOCATION_REFUSED */
async function bounded(
  tx: FleetTransaction,
  key: CertificateKey,
  value: string,
): Promise<readonly UnitCertificateRow[]> {
  const rows = await tx.certificatesBy(key, value, PLAN_CERTIFICATES_MAX + 1);
  if (rows.length > PLAN_CERTIFICATES_MAX)
    throw new Fault('REVOCATION_REFUSED', { why: 'too many certificates for one plan', key, value });
  return rows;
}
