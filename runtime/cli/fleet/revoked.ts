/** Whether the certificate of a unit is revoked: by itself, or with its intermediate. */
import type { RecordRow } from '../../core/store/fleet.ts';
import type { RevocationRow, RevokedIssuerRow } from '../../core/store/revocation.ts';
import type { FleetView } from '../means.ts';

export type Revoked =
  | { readonly by: 'certificate'; readonly row: RevocationRow }
  | { readonly by: 'intermediate'; readonly row: RevokedIssuerRow };

export async function revokedOf(
  record: RecordRow | null,
  view: Pick<FleetView, 'revocation' | 'revokedIssuers' | 'certificatesBy'>,
): Promise<Revoked | null> {
  if (record === null || record.certificateSerial === null) return null;
  const row = await view.revocation(record.certificateSerial);
  if (row !== null) return { by: 'certificate', row };
  const [certificate] = await view.certificatesBy('eid', record.eid, 1);
  const issuer = (await view.revokedIssuers()).find((one) => one.issuer === certificate?.issuer);
  return issuer === undefined ? null : { by: 'intermediate', row: issuer };
}

/** A row of the unit's state. */
export function revokedRows(revoked: Revoked | null): readonly (readonly string[])[] {
  if (revoked === null) return [];
  const { reason, revokedAt, leafIndex } = revoked.row;
  const by = revoked.by === 'certificate' ? '' : ` with its intermediate ${revoked.row.issuer}`;
  return [['revoked', `${revokedAt}${by}: ${reason}, leaf ${leafIndex}`]];
}
