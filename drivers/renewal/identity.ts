/** A station's identity on its machine: the certificate's file, the keys in its token, and the way to the bus authority. */
import { readFileSync } from 'node:fs';
import { Fault } from '../../runtime/core/faults.ts';
import type { RenewalOffice, StationIdentity } from '../../runtime/core/renewal.ts';
import { readClientCertificate } from '../certificates/bus-office.ts';
import { replaceFile } from '../durable-text.ts';

export interface IdentityFiles {
  readonly certificate: string;
  /** Of the bus authority. */
  readonly ca: string;
}

export function openStationIdentity(
  { certificate, ca }: IdentityFiles,
  keys: StationIdentity['keys'],
  office: RenewalOffice | null,
): StationIdentity {
  return {
    present: () => readClientCertificate(textOf(certificate), ca),
    read: (pem) => readClientCertificate(pem, ca),
    install: (pem) => replaceFile(certificate, pem),
    keys,
    office,
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Fault('FILE_UNREADABLE', { file }, { cause });
  }
}
