/** What the fleet store keeps of certificates and of what became of them. */
import type { RevocationReason } from '../pki/crl.ts';

/** Where a registered certificate came from; the store takes it out of each identity record. */
export interface UnitCertificateRow {
  /** Hexadecimal. */
  readonly serial: string;
  readonly eid: string;
  readonly operation: string;
  /** The intermediate, as tickets name it. */
  readonly issuer: string;
  /** Its key identifier, hexadecimal. */
  readonly issuerKeyId: string;
  readonly batch: string;
  readonly station: string;
  /** When the record was made, by the backend; without a record: when the certificate begins, by the gateway. */
  readonly recordedAt: string;
}

export interface RevocationRow {
  readonly serial: string;
  readonly eid: string;
  readonly issuer: string;
  /** SHA-256 of the plan that was executed. */
  readonly plan: string;
  readonly reason: RevocationReason;
  readonly revokedAt: string;
  readonly leafIndex: number;
}

/** An intermediate that is revoked as a whole. */
export interface RevokedIssuerRow {
  readonly issuer: string;
  readonly issuerKeyId: string;
  readonly plan: string;
  readonly reason: RevocationReason;
  readonly revokedAt: string;
  readonly leafIndex: number;
}

export type Fallen = 'certificate' | 'intermediate';

export interface ExecutedPlanRow {
  /** SHA-256 of the plan. */
  readonly plan: string;
  readonly executedAt: string;
  readonly leafIndex: number;
}

export interface TrustListRow {
  readonly number: number;
  readonly jws: string;
  readonly leafIndex: number;
}

/** How certificates are looked for. */
export type CertificateKey = 'eid' | 'batch' | 'issuer' | 'station';

/** Lists are written in one round trip. */
export interface RevocationTransaction {
  /** Keeps certificates that no record names, and answers the serials of those that are new. */
  addUnitCertificates(rows: readonly UnitCertificateRow[]): Promise<readonly string[]>;
  /** By serial; at most `limit`. A batch that ends with `*` means all that begin so. */
  certificatesBy(key: CertificateKey, value: string, limit: number): Promise<readonly UnitCertificateRow[]>;
  countCertificatesOf(issuer: string): Promise<number>;
  /** Names of every intermediate that a record names, with their key identifiers, in order. */
  recordedIssuers(): Promise<readonly { readonly issuer: string; readonly issuerKeyId: string }[]>;
  revocation(serial: string): Promise<RevocationRow | null>;
  /** What has fallen of a certificate: itself, or the intermediate with this key; null for neither. */
  fallenOf(serial: string, issuerKeyId: string): Promise<Fallen | null>;
  /** By serial. */
  revocationsOf(issuer: string): Promise<readonly RevocationRow[]>;
  /** In the order of serials, behind `after`. */
  revocationsAfter(after: string, limit: number): Promise<readonly RevocationRow[]>;
  revocationsUnder(plan: string): Promise<readonly RevocationRow[]>;
  insertRevocations(rows: readonly RevocationRow[]): Promise<void>;
  /** By name. */
  revokedIssuers(): Promise<readonly RevokedIssuerRow[]>;
  insertRevokedIssuer(row: RevokedIssuerRow): Promise<void>;
  executedPlan(plan: string): Promise<ExecutedPlanRow | null>;
  executedPlans(): Promise<readonly ExecutedPlanRow[]>;
  insertExecutedPlan(row: ExecutedPlanRow): Promise<void>;
  newestTrustList(): Promise<TrustListRow | null>;
  /** In the order of their numbers, behind `after`. */
  trustListsAfter(after: number, limit: number): Promise<readonly TrustListRow[]>;
  insertTrustList(row: TrustListRow): Promise<void>;
}
