/** What both fleet stores take out of an identity record, so that certificates are found by batch and station. */
import { type Bytes, toText } from '../../runtime/core/bytes.ts';
import type { RecordRow } from '../../runtime/core/store/fleet.ts';
import type { UnitCertificateRow } from '../../runtime/core/store/revocation.ts';

interface RecordPart {
  readonly certificate?: { readonly issuer?: string; readonly issuerKeyId?: string };
  readonly batch?: string;
  readonly station?: string;
  readonly time?: { readonly latest?: string };
}

/** None for a record without a certificate. */
export function unitCertificatesOf({
  certificateSerial,
  eid,
  operation,
  record,
}: RecordRow): readonly UnitCertificateRow[] {
  if (certificateSerial === null) return [];
  const { certificate, batch, station, time } = partOf(record);
  const { issuer, issuerKeyId } = certificate ?? {};
  if (issuer === undefined || issuerKeyId === undefined || batch === undefined || station === undefined)
    return [];
  const recordedAt = time?.latest ?? '';
  return [{ serial: certificateSerial, eid, operation, issuer, issuerKeyId, batch, station, recordedAt }];
}

function partOf(record: Bytes): RecordPart {
  try {
    return JSON.parse(toText(record)) as RecordPart;
  } catch {
    return {}; // Not a record of ours: it names no certificate.
  }
}
