/** What the commands of enrolment ask of the world beside what all commands ask. */
import type { Bytes } from '../../core/bytes.ts';
import type { Signer } from '../../core/ports.ts';

/** Where a station's keys are. */
export interface KeyPlace {
  readonly module: string;
  readonly label: string;
  readonly pinFile: string;
  readonly tlsKey: string;
  readonly envelopeKey: string;
}

export interface OpenKeys extends AsyncDisposable {
  readonly tls: Signer;
  readonly envelope: Signer;
  /** Labels of the keys that were made now. */
  readonly made: readonly string[];
}

/** Certificate and key of the bus authority, files. */
export interface AuthorityPlace {
  readonly certificate: string;
  readonly key: string;
}

export interface PresentCertificate {
  readonly der: Bytes;
  readonly name: string;
  /** 65-byte point. */
  readonly publicKey: Bytes;
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface EnrolmentMeans {
  /** @throws Fault TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG, FILE_UNREADABLE */
  openKeys(place: KeyPlace, make: 'make-missing' | 'demand'): Promise<OpenKeys>;
  /** @param certificate DER or PEM @throws Fault ENROLMENT_FOREIGN unless this authority signed it for a client */
  readCertificate(certificate: Bytes | string, authorityFile: string): PresentCertificate;
  drawSerial(): string;
  /** 128 random bits, to be typed by a person. */
  drawCode(): string;
  /** PEM. @throws Fault FILE_UNREADABLE, CONFIG_INVALID */
  certify(
    authority: AuthorityPlace,
    serial: string,
    terms: { name: string; publicKey: Bytes; notBeforeMs: number; notAfterMs: number },
  ): Promise<string>;
  /** PEM. */
  crl(
    authority: AuthorityPlace,
    order: {
      number: number;
      thisUpdateMs: number;
      nextUpdateMs: number;
      entries: readonly { serial: string; since: string }[];
    },
  ): Promise<string>;
  /** A line at the end of a file that only its owner may read, past fsync. @throws Fault FILE_UNREADABLE */
  appendLine(path: string, line: string): void;
  /** A whole file in the place of the former, past fsync. @throws Fault FILE_UNREADABLE */
  replaceFile(path: string, text: string): void;
}
