/**
 * What the ledger of the gateways keeps for its intermediates: intents of many requests at a time, what is revoked,
 * and the number of each CRL before that CRL exists.
 */
import type { Bytes } from '../bytes.ts';
import type { Fault } from '../faults.ts';
import type { RevocationReason } from '../pki/crl.ts';
import type { CertificateRow } from './ledger.ts';

export interface RevokedRow {
  /** Hexadecimal. */
  readonly serial: string;
  readonly issuer: string;
  readonly reason: RevocationReason;
  readonly revokedAt: string;
  /** SHA-256 of the order of the backend. */
  readonly order: string;
}

export interface CrlRow {
  readonly issuer: string;
  readonly number: number;
  readonly thisUpdate: string;
  readonly nextUpdate: string;
  /** DER. */
  readonly crl: Bytes;
}

export interface KeptTrustList {
  readonly number: number;
  readonly jws: string;
}

export interface IssuerLedger {
  /** Intents of many requests in one transaction, each with what `intendCertificate` answers or refuses. Rows of
   * one call have different EIDs, keys and serials. @throws Fault LEDGER_UNAVAILABLE */
  intendCertificates(rows: readonly CertificateRow[]): Promise<readonly (CertificateRow | Fault)[]>;
  /** The first signed certificate of each intent is kept; answers those that are, in order. */
  storeCertificates(
    rows: readonly { readonly serial: string; readonly certificate: Bytes }[],
  ): Promise<readonly Bytes[]>;
  /** Intermediate of each serial that this ledger knows. */
  issuersOf(serials: readonly string[]): Promise<ReadonlyMap<string, string>>;
  revoked(serial: string): Promise<RevokedRow | null>;
  /** One transaction: keeps what is newly revoked, and takes the next number; durable before anything is signed.
   * Answers the number and everything that is revoked under this intermediate, in the order of serials. */
  beginCrl(
    issuer: string,
    revoked: readonly RevokedRow[],
  ): Promise<{ readonly number: number; readonly revoked: readonly RevokedRow[] }>;
  storeCrl(row: CrlRow): Promise<void>;
  /** The signed one with the highest number. */
  newestCrl(issuer: string): Promise<CrlRow | null>;
  /** False when a newer list is kept already. */
  keepTrustList(list: KeptTrustList): Promise<boolean>;
  trustList(): Promise<KeptTrustList | null>;
}
