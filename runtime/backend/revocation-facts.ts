/** What the fleet says of the units that a revocation aims at, and of whatever hangs by the same intermediates. */
import { Fault } from '../core/faults.ts';
import type { TraceKey } from '../core/history/trace.ts';
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

/** What stands in the record; everything else is found by the traces of the log. */
const keys: Readonly<Partial<Record<Aim['kind'], CertificateKey>>> = {
  eid: 'eid',
  batch: 'batch',
  intermediate: 'issuer',
};

/** @throws Fault REVOCATION_REFUSED when nothing is aimed at, or too much for one plan */
export async function planRevocation(
  tx: FleetTransaction,
  asked: Pick<RevocationPlan, 'aim' | 'way' | 'reason' | 'madeAt'>,
  { quorum, crlDays, rootCrlDays }: RevocationSettings,
): Promise<RevocationPlan> {
  const { aim } = asked;
  const { found, aimed } = await aimedAt(tx, aim);
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
  const plan = planOf({ ...asked, aimed, issuers, quorum, crlDays, rootCrlDays });
  for (const { name } of plan.intermediates) demandOneKey(name, issuers);
  return plan;
}

/** @throws Fault REVOCATION_REFUSED */
async function aimedAt(tx: FleetTransaction, aim: Aim) {
  const { kind, value } = aim;
  const key = keys[kind];
  if (key !== undefined) {
    const found = await bounded(tx, key, value);
    return { found, aimed: found.filter((row) => isAimedAt(aim, row)) };
  }
  const traced = await tx.certificatesTraced(kind as TraceKey, value, aim, PLAN_CERTIFICATES_MAX + 1);
  return { found: traced, aimed: demandBounded(traced, kind, value) };
}

/** The trust list knows an intermediate by its key: two keys under one name would leave one of them standing.
 * @throws Fault REVOCATION_REFUSED */
function demandOneKey(name: string, issuers: readonly TouchedIssuer[]): void {
  const rows = issuers.find((one) => one.name === name)?.certificates ?? [];
  if (new Set(rows.map(({ issuerKeyId }) => issuerKeyId)).size > 1)
    throw new Fault('REVOCATION_REFUSED', { why: 'two keys have issued under this name', issuer: name });
}

/** @throws Fault REVOCATION_REFUSED */
async function bounded(
  tx: FleetTransaction,
  key: CertificateKey,
  value: string,
): Promise<readonly UnitCertificateRow[]> {
  return demandBounded(await tx.certificatesBy(key, value, PLAN_CERTIFICATES_MAX + 1), key, value);
}

/** @throws Fault REVOCATION_REFUSED */
function demandBounded(
  rows: readonly UnitCertificateRow[],
  key: string,
  value: string,
): readonly UnitCertificateRow[] {
  if (rows.length > PLAN_CERTIFICATES_MAX)
    throw new Fault('REVOCATION_REFUSED', { why: 'too many certificates for one plan', key, value });
  return rows;
}
