/** Appearances that are events of their own: each a leaf of the fleet log, once for each arrival of a unit. */
import { fromText } from '../core/bytes.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import type { ControllerReport } from '../core/gate/release.ts';
import { leafOf } from '../core/log/leaf.ts';
import type { Claim, Judged } from '../core/operation/appearance.ts';
import type { OperationRow } from '../core/store/fleet.ts';
import type { Draft } from './sequencer.ts';

export interface Noted {
  readonly claim: Claim;
  readonly ticket: string;
  /** Verified: the arrival is the gate controller's word. */
  readonly report: ControllerReport;
  /** ISO 8601, of the backend. */
  readonly at: string;
}

/** Writes leaf and row. A unit that is held is asked about again and again: that is still the same appearance. */
export async function noteAppearance(
  draft: Draft,
  noted: Noted,
  { appearance, fault, outcome, operation: known }: Judged & { readonly operation: OperationRow },
): Promise<void> {
  const { claim, ticket, report, at } = noted;
  const key = `appearance/${report.controller}/${report.arrival}/${appearance}/${claim.eid}`;
  const drafted = draft.appearances.some((row) => row.key === key);
  if (drafted || (await draft.tx.appearance(key)) !== null) return;
  const body = {
    appearance,
    eid: claim.eid,
    seFingerprint: claim.seFingerprint,
    station: claim.station,
    nest: claim.nest,
    arrival: report.arrival,
    attempt: claim.attempt,
    ticket,
    fault,
    epoch: outcome === 'raise' ? known.epoch + 1 : null,
    known: {
      operation: known.operation,
      epoch: known.epoch,
      state: known.state,
      eid: known.eid,
      seFingerprint: known.seFingerprint,
      station: known.station,
      nest: known.nest,
      ticket: known.ticket,
      attemptedAt: known.attemptedAt,
    },
  };
  const leafIndex = draft.append(leafOf('appearance', key, at, body));
  draft.appearances.push({
    key,
    appearance,
    eid: claim.eid,
    seFingerprint: claim.seFingerprint,
    operation: known.operation,
    faultCode: fault,
    at,
    entry: fromText(canonicalJson(body)),
    leafIndex,
  });
}
