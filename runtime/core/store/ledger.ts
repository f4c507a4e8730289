/**
 * The gateway's ledger: what it is about to derive, wrap or sign is durable here first, so that after a
 * crash nothing is unknown and a repeated request gets the same answer. One for all gateways of an HSM.
 */
import type { Bytes } from '../bytes.ts';
import type { IssuerLedger } from './issuer-ledger.ts';

export interface DialogueRow {
  readonly dialogue: string;
  readonly operation: string;
  readonly epoch: number;
  readonly eid: string;
  readonly seFingerprint: string;
  readonly ticket: string;
  readonly station: string;
  readonly instance: string;
  readonly openedAt: string;
}

export type Admission =
  | {
      readonly admitted: true /** Dialogues opened for this EID since its last confirmation, this one included. */;
      readonly attempts: number;
    }
  | { readonly admitted: false; readonly why: 'quota' | 'stale' | 'attempts' };

/** Something irreversible that is about to be done. */
export interface IntentRow {
  readonly dialogue: string;
  readonly operation: string;
  readonly epoch: number;
  readonly step: string;
  /** What exactly, in names, versions and hashes; never a key. */
  readonly detail: string;
  readonly at: string;
}

export interface CertificateRow {
  /** Hexadecimal. */
  readonly serial: string;
  readonly eid: string;
  /** 65-byte point. */
  readonly publicKey: Bytes;
  readonly issuer: string;
  /** What it was made for. Empty for a certificate of before these were kept. */
  readonly operation: string;
  readonly batch: string;
  readonly station: string;
  readonly profile: string;
  readonly notBefore: string;
  /** What is signed, DER. */
  readonly toBeSigned: Bytes;
  /** The first signed certificate, DER; null between intent and signature. */
  readonly certificate: Bytes | null;
}

/** How certificates are looked for. A batch that ends with `*` means all that begin so. */
export type IssuedKey = 'eid' | 'batch' | 'issuer' | 'station';

/** How an epoch of an operation ended, with the transcript whose hash it signs. */
export interface ConclusionRow {
  readonly operation: string;
  readonly epoch: number;
  readonly kind: 'confirmation' | 'verdict';
  /** Compact JWS. */
  readonly jws: string;
  readonly eid: string;
  readonly at: string;
  /** Canonical JSON of a `Transcript`. */
  readonly transcript: string;
}

/** A refusal that the gateway answered with: an event that no station can keep back. */
export interface RefusalRow {
  /** Names it: the same refused again is the same row. */
  readonly key: string;
  readonly station: string;
  /** Fault code. */
  readonly code: string;
  /** Empty where no ticket could be read. */
  readonly ticket: string;
  /** Empty for a number of refusals that were only counted. */
  readonly eid: string;
  /** Canonical JSON of what was refused. */
  readonly entry: string;
  readonly at: string;
}

/** How far a unit of a ticket came, as the gateways of the HSM know it. */
export interface LedgerUnit {
  readonly operation: string;
  readonly eid: string;
  /** Whether its key set was derived and wrapped for the chip. */
  readonly derived: boolean;
  /** The newest epoch with a confirmation; 0 for none. */
  readonly confirmedEpoch: number;
  /** The newest epoch with a verdict; 0 for none. */
  readonly verdictEpoch: number;
}

export interface GatewayLedger extends IssuerLedger {
  /** One transaction: refuses an epoch older than any seen for the operation, an EID beyond the ticket's
   * quota of distinct EIDs, and too many attempts since the last confirmation; else stores the row.
   * @throws Fault LEDGER_UNAVAILABLE */
  admit(
    row: DialogueRow,
    limits: { readonly quota: number; readonly attemptsMax: number },
  ): Promise<Admission>;
  /** @throws Fault LEDGER_UNAVAILABLE; RESERVATION_STALE when a newer epoch of the operation was admitted */
  intend(row: IntentRow): Promise<void>;
  intentsOf(operation: string): Promise<readonly IntentRow[]>;
  /** The newest certificate for an EID, signed or intended. */
  certificateOf(eid: string): Promise<CertificateRow | null>;
  certificatesOf(eid: string): Promise<readonly CertificateRow[]>;
  /** Signed or intended, in the order of serials, behind `after`. */
  certificatesBy(
    key: IssuedKey,
    value: string,
    after: string,
    limit: number,
  ): Promise<readonly CertificateRow[]>;
  /** Stores the intent, or returns the one stored before for this EID and public key.
   * @throws Fault CERTIFICATE_REFUSED when the public key belongs to another EID */
  intendCertificate(row: CertificateRow): Promise<CertificateRow>;
  /** Stores the first signed certificate for an intent and returns the one that is stored. */
  storeCertificate(serial: string, certificate: Bytes): Promise<Bytes>;
  /** Stores the first outcome of an epoch and its transcript, both or neither, and returns the stored JWS.
   * @throws Fault RESERVATION_STALE when there is none and a newer epoch of the operation was admitted */
  conclude(row: ConclusionRow): Promise<string>;
  conclusionOf(
    operation: string,
    epoch: number,
  ): Promise<{ readonly kind: 'confirmation' | 'verdict'; readonly jws: string } | null>;
  /** Of an EID, the newest first. */
  transcriptsOf(eid: string): Promise<readonly ConclusionRow[]>;
  /** Once for each key. */
  noteRefusal(row: RefusalRow): Promise<void>;
  /** In the order of their keys, behind `after`. */
  refusalsOf(ticket: string, after: string, limit: number): Promise<readonly RefusalRow[]>;
  /** How many refusals a ticket has by their codes, which are in order. */
  countRefusals(ticket: string): Promise<readonly { readonly code: string; readonly count: number }[]>;
  /** Units that had a dialogue under a ticket, in the order of their operations, behind `after`. */
  ticketUnits(ticket: string, after: string, limit: number): Promise<readonly LedgerUnit[]>;
  /** The newest list of stations that any gateway was given, compact JWS; null for none with a number above `known`. */
  stationList(known: number): Promise<string | null>;
  /** Counts the ledger's mark up by one, and answers it; null for a ledger whose mark is lower than `told`: then
   * nothing is counted. */
  raiseMark(told: number): Promise<number | null>;
  /** Keeps a list unless one with a higher number is kept; resolves with the one that is kept then. */
  keepStationList(number: number, jws: string): Promise<string>;
  close(): Promise<void>;
}
