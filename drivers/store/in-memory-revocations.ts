/** Certificates and revocations of the simulated fleet store. */

import { covers } from '../../runtime/core/pki/scope.ts';
import type {
  ExecutedPlanRow,
  RevocationRow,
  RevocationTransaction,
  RevokedIssuerRow,
  TrustListRow,
  UnitCertificateRow,
} from '../../runtime/core/store/revocation.ts';
import type { Verb } from './in-memory-engine.ts';
import { createTable, type Undo } from './in-memory-table.ts';

export type RevocationTables = ReturnType<typeof revocationTables>;

const bySerial = (a: { readonly serial: string }, b: { readonly serial: string }): number =>
  a.serial < b.serial ? -1 : Number(a.serial > b.serial);

export function revocationTables() {
  return {
    certificates: createTable({
      unique: { unit_certificate_serial: (row: UnitCertificateRow) => [row.serial] },
      group: (row) => row.issuer,
      order: bySerial,
    }),
    revocations: createTable({
      unique: { revocation_serial: (row: RevocationRow) => [row.serial] },
      group: (row) => row.issuer,
      order: bySerial,
    }),
    revokedIssuers: createTable({
      unique: { revoked_issuer_issuer: (row: RevokedIssuerRow) => [row.issuer] },
      group: () => '',
      order: (a, b) => (a.issuer < b.issuer ? -1 : 1),
    }),
    plans: createTable({
      unique: { executed_plan_plan: (row: ExecutedPlanRow) => [row.plan] },
      group: () => '',
      order: () => 0,
    }),
    trustLists: createTable({
      unique: { trust_list_number: (row: TrustListRow) => [row.number] },
      group: () => '',
      order: (a, b) => a.number - b.number,
    }),
  };
}

/** A certificate that was told before its unit was registered gets what the record says. */
export function recordCertificate(
  { certificates }: RevocationTables,
  row: UnitCertificateRow,
  undo: Undo,
): void {
  const told = certificates.find('unit_certificate_serial', row.serial);
  if (told === null) certificates.insert(row, undo);
  else certificates.replace(told, row, undo);
}

export function revocationVerbs(verb: Verb, tables: RevocationTables): RevocationTransaction {
  const { certificates, revocations, revokedIssuers, plans, trustLists } = tables;
  return {
    addUnitCertificates: (rows) =>
      verb((undo) =>
        rows.flatMap((row) => {
          if (certificates.find('unit_certificate_serial', row.serial) !== null) return [];
          certificates.insert(row, undo);
          return [row.serial];
        }),
      ),
    certificatesBy: (key, value, limit) =>
      verb(() =>
        certificates
          .all()
          .filter((row) => (key === 'batch' ? covers(value, row.batch) : row[key] === value))
          .sort(bySerial)
          .slice(0, limit),
      ),
    countCertificatesOf: (issuer) => verb(() => certificates.group(issuer).length),
    recordedIssuers: () =>
      verb(() =>
        [...new Map(certificates.all().map((row) => [row.issuer, row.issuerKeyId]))]
          .map(([issuer, issuerKeyId]) => ({ issuer, issuerKeyId }))
          .sort((a, b) => (a.issuer < b.issuer ? -1 : 1)),
      ),
    revocation: (serial) => verb(() => revocations.find('revocation_serial', serial)),
    fallenOf: (serial, issuerKeyId) =>
      verb(() => {
        if (revokedIssuers.all().some((row) => row.issuerKeyId === issuerKeyId)) return 'intermediate';
        return revocations.find('revocation_serial', serial) === null ? null : 'certificate';
      }),
    revocationsOf: (issuer) => verb(() => revocations.group(issuer)),
    revocationsAfter: (after, limit) =>
      verb(() =>
        revocations
          .all()
          .filter(({ serial }) => serial > after)
          .sort(bySerial)
          .slice(0, limit),
      ),
    revocationsUnder: (plan) =>
      verb(() =>
        revocations
          .all()
          .filter((row) => row.plan === plan)
          .sort(bySerial),
      ),
    insertRevocations: (rows) =>
      verb((undo) => {
        for (const row of rows) revocations.insert(row, undo);
      }),
    revokedIssuers: () => verb(() => revokedIssuers.group('')),
    insertRevokedIssuer: (row) => verb((undo) => revokedIssuers.insert(row, undo)),
    executedPlan: (plan) => verb(() => plans.find('executed_plan_plan', plan)),
    executedPlans: () => verb(() => plans.group('')),
    insertExecutedPlan: (row) => verb((undo) => plans.insert(row, undo)),
    newestTrustList: () => verb(() => trustLists.group('', -1)[0] ?? null),
    trustListsAfter: (after, limit) =>
      verb(() =>
        trustLists
          .group('')
          .filter(({ number }) => number > after)
          .slice(0, limit),
      ),
    insertTrustList: (row) => verb((undo) => trustLists.insert(row, undo)),
  };
}
