/** What the simulated ledger keeps for its intermediates. */
import { isFault } from '../../runtime/core/faults.ts';
import type {
  CrlRow,
  IssuerLedger,
  KeptTrustList,
  RevokedRow,
} from '../../runtime/core/store/issuer-ledger.ts';
import type { CertificateRow } from '../../runtime/core/store/ledger.ts';
import { createTable, type Undo } from './in-memory-table.ts';

export function issuerTables() {
  return {
    revoked: createTable({
      unique: { revoked_certificate_serial: (row: RevokedRow) => [row.serial] },
      group: (row) => row.issuer,
      order: (a, b) => (a.serial < b.serial ? -1 : 1),
    }),
    crlNumbers: createTable({
      unique: { crl_number_issuer: (row: { issuer: string; number: number }) => [row.issuer] },
      group: (row) => row.issuer,
      order: () => 0,
    }),
    crls: createTable({
      unique: { crl_issuer_number: (row: CrlRow) => [row.issuer, row.number] },
      group: (row) => row.issuer,
      order: (a, b) => a.number - b.number,
    }),
    trustLists: createTable({
      unique: { known_trust_list_number: (row: KeptTrustList) => [row.number] },
      group: () => '',
      order: (a, b) => a.number - b.number,
    }),
  };
}

/** The single verbs of certificates, which those for many are made of. */
export interface CertificateVerbs {
  intend(row: CertificateRow, undo: Undo): CertificateRow;
  store(serial: string, certificate: Uint8Array, undo: Undo): Uint8Array;
  issuerOf(serial: string): string | null;
}

type Call = <T>(action: (undo: Undo) => T) => Promise<T>;

export function issuerLedger(
  call: Call,
  tables: ReturnType<typeof issuerTables>,
  certificates: CertificateVerbs,
): IssuerLedger {
  const { revoked, crlNumbers, crls, trustLists } = tables;
  return {
    intendCertificates: (rows) =>
      call((undo) => rows.map((row) => intended(() => certificates.intend(row, undo)))),
    storeCertificates: (rows) =>
      call((undo) => rows.map(({ serial, certificate }) => certificates.store(serial, certificate, undo))),
    issuersOf: (serials) =>
      call(
        () =>
          new Map(
            serials.flatMap((serial) => {
              const issuer = certificates.issuerOf(serial);
              return issuer === null ? [] : [[serial, issuer] as const];
            }),
          ),
      ),
    revoked: (serial) => call(() => revoked.find('revoked_certificate_serial', serial)),
    beginCrl: (issuer, rows) =>
      call((undo) => {
        for (const row of rows)
          if (revoked.find('revoked_certificate_serial', row.serial) === null) revoked.insert(row, undo);
        const known = crlNumbers.find('crl_number_issuer', issuer);
        const taken = { issuer, number: (known?.number ?? 0) + 1 };
        if (known === null) crlNumbers.insert(taken, undo);
        else crlNumbers.replace(known, taken, undo);
        return { number: taken.number, revoked: revoked.group(issuer) };
      }),
    storeCrl: (row) =>
      call((undo) => {
        if (crls.find('crl_issuer_number', row.issuer, row.number) === null) crls.insert(row, undo);
      }),
    newestCrl: (issuer) => call(() => crls.group(issuer, -1)[0] ?? null),
    keepTrustList: (list) =>
      call((undo) => {
        const newest = trustLists.group('', -1)[0];
        if (newest !== undefined && newest.number >= list.number) return newest.number === list.number;
        trustLists.insert(list, undo);
        return true;
      }),
    trustList: () => call(() => trustLists.group('', -1)[0] ?? null),
  };
}

/** A refusal changes nothing, and is one row's answer. */
function intended(work: () => CertificateRow) {
  try {
    return work();
  } catch (error) {
    if (!isFault(error)) throw error;
    return error;
  }
}
