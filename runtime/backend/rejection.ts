/** Records a verdict on a card and lets the unit go by the reject lane, and by no other. */
import type { BackendConfig } from '../../config/backend.ts';
import { type Bytes, fromText } from '../core/bytes.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { Fault, type FaultNote } from '../core/faults.ts';
import type { ControllerReport, GateKind } from '../core/gate/release.ts';
import { instantOf } from '../core/instant.ts';
import { leafOf } from '../core/log/leaf.ts';
import { hashOf, open, seal } from '../core/messages/envelope.ts';
import type { rejectExchange } from '../core/messages/exchanges.ts';
import { rejection, type Verdict, verdict } from '../core/messages/receipts.ts';
import { type RejectionEffect, rejectionEffect } from '../core/operation/rejection-effect.ts';
import type { FleetTransaction, OperationRow, RejectionRow, ReleaseRow } from '../core/store/fleet.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import {
  type ControllerLook,
  gateOf,
  lookAt,
  releaseFor,
  settle,
  signedRelease,
  verifyReport,
} from './controllers.ts';
import { operatorInCharge } from './operators.ts';
import type { RequestPorts } from './ports.ts';
import { placeInLog } from './receipts.ts';
import type { Draft, Sequencer } from './sequencer.ts';

interface Checked {
  readonly station: string;
  readonly visit: string;
  /** As the chip claimed it in clear. */
  readonly claimed: { readonly eid: string; readonly seFingerprint: string } | null;
  readonly fault: FaultNote;
  readonly verdict: Verdict | null;
  readonly verdictHash: string | null;
  readonly report: ControllerReport;
  readonly gate: GateKind;
  readonly operator: string;
  readonly at: string;
}

interface Rejected {
  readonly operation: string;
  readonly leaf: { readonly index: number; readonly entry: Bytes };
  readonly release: ReleaseRow;
}

export function rejectHandler(
  config: BackendConfig,
  ports: RequestPorts,
  sequencer: Sequencer,
): HandlerOf<typeof rejectExchange> {
  return async ({ station, nest, body }) => {
    const controller = verifyReport(body.report, station, ports);
    const judged =
      body.verdict === null ? null : open(verdict, body.verdict, ports.trusted, ports.crypto).payload;
    if (judged !== null) checkVerdict(judged, body.identity?.eid, { station, nest, code: body.fault.code });
    const checked: Checked = {
      station,
      visit: body.visit,
      claimed: body.identity,
      fault: body.fault,
      verdict: judged,
      verdictHash: body.verdict === null ? null : hashOf(body.verdict, ports.crypto),
      report: body.report,
      gate: gateOf(controller),
      operator: await operatorInCharge(station, body.shift, config, ports),
      at: instantOf(ports.clock.now()),
    };
    const { value, log } = await sequencer.add((draft) => reject(draft, checked, ports), true);
    const receipt = await seal(
      rejection,
      {
        station,
        nest,
        visit: body.visit,
        operation: value.operation,
        eid: checked.claimed?.eid ?? null,
        fault: { code: checked.fault.code, context: { ...checked.fault.context } },
        ...placeInLog(value.leaf, body.knownTreeSize, log),
        release: signedRelease(value.release, controller, ports),
        registeredAt: checked.at,
      },
      ports.signer,
      ports.crypto,
    );
    return { body: { rejection: receipt } };
  };
}

/** @throws Fault CONFIRMATION_INVALID */
function checkVerdict(
  judged: Verdict,
  eid: string | undefined,
  asked: { readonly station: string; readonly nest: string; readonly code: string },
): void {
  const same =
    judged.eid === eid &&
    judged.station === asked.station &&
    judged.nest === asked.nest &&
    judged.fault.code === asked.code;
  if (!same)
    throw new Fault('CONFIRMATION_INVALID', { why: 'the verdict is about another unit, place or fault' });
}

/** What a rejection is filed under, and what becomes of the operation. */
interface Subject {
  /** The operation, or the visit where the unit is rejected on its claim alone. */
  readonly operation: string;
  readonly epoch: number;
  /** The operation that the rejection changes; null for none. */
  readonly row: OperationRow | null;
  readonly effect: RejectionEffect;
}

/** @throws Fault STATION_REVOKED, RELEASE_USED, RESERVATION_STALE, UNIT_RELEASED_BEFORE */
async function reject(draft: Draft, checked: Checked, { register }: RequestPorts): Promise<Rejected> {
  const { tx } = draft;
  const { report, visit } = checked;
  const [look, known] = await Promise.all([
    lookAt(tx, report),
    tx.rejection(visit),
    register.demandStored(tx, checked.station),
  ]);
  const subject = known === null ? await subjectOf(tx, checked, look) : await repeated(tx, known);
  const { operation, epoch, row, effect } = subject;
  const former =
    draft.releases.find((drafted) => drafted.operation === operation) ?? (await tx.lastRelease(operation));
  const elsewhere = former !== null && former.controller !== report.controller;
  const { row: release, isNew } = releaseFor({
    operation,
    epoch,
    lane: 'reject',
    report,
    controller: look.row,
    former,
    formerController: elsewhere ? await tx.controller(former.controller) : null,
  });
  const leafIndex = known?.leafIndex ?? write(draft, subject, checked);
  if (isNew) draft.releases.push(release);
  await settle(tx, look, isNew ? release.counter : look.row.issued);
  if (row !== null && effect !== 'leaves' && row.state !== 'diverted')
    await tx.updateOperation({ ...row, state: 'rejected' });
  if (row !== null && effect === 'disowns') await tx.disownOperation(operation);
  return { operation, leaf: { index: leafIndex, entry: await draft.entryAt(leafIndex) }, release };
}

/** The answer to this visit's rejection was lost: it was filed, and what it changes is changed. */
async function repeated(tx: FleetTransaction, { operation }: RejectionRow): Promise<Subject> {
  const former = await tx.lastRelease(operation);
  return { operation, epoch: former?.epoch ?? 0, row: null, effect: 'leaves' };
}

/** @throws Fault RESERVATION_STALE, UNIT_RELEASED_BEFORE, CONFIRMATION_INVALID */
async function subjectOf(
  tx: FleetTransaction,
  { verdict: judged, claimed, visit }: Checked,
  look: ControllerLook,
): Promise<Subject> {
  if (judged === null) {
    const row = claimed === null ? null : await tx.operationByEid(claimed.eid);
    const same = row !== null && row.seFingerprint === claimed?.seFingerprint;
    // Rejected, and not gone yet: its gate shut before it had left. Any other leaves on its claim.
    const stays = same && row.state === 'rejected' && look.left?.operation !== row.operation;
    return stays
      ? { operation: row.operation, epoch: row.epoch, row, effect: 'leaves' }
      : ofVisit(tx, visit, null);
  }
  const { operation, epoch } = judged;
  const row = await tx.operationById(operation);
  if (row === null || row.epoch !== epoch) throw new Fault('RESERVATION_STALE', { operation, epoch });
  if (row.state === 'released' || look.left?.operation === operation)
    throw new Fault('UNIT_RELEASED_BEFORE', { operation });
  const effect = rejectionEffect(judged, row);
  return effect === 'leaves' ? ofVisit(tx, visit, row) : { operation, epoch, row, effect };
}

/** A release under the name of an operation would mark that one as gone. @throws Fault CONFIRMATION_INVALID */
async function ofVisit(tx: FleetTransaction, visit: string, row: OperationRow | null): Promise<Subject> {
  if ((await tx.operationById(visit)) !== null)
    throw new Fault('CONFIRMATION_INVALID', { why: 'the visit has the name of an operation' });
  return { operation: visit, epoch: 0, row, effect: 'leaves' };
}

function write(draft: Draft, { operation, row, effect }: Subject, checked: Checked): number {
  const { verdict: judged, claimed, fault, visit, station, gate, operator, verdictHash, at } = checked;
  const eid = claimed?.eid ?? null;
  const body = {
    visit,
    operation,
    // The operation whose name the chip claimed, where nothing shows that it was its own.
    claimed: effect === 'leaves' && row !== null && row.operation !== operation ? row.operation : null,
    eid,
    seFingerprint: claimed?.seFingerprint ?? null,
    effect,
    station,
    gate,
    operator,
    gateway: judged?.gateway ?? null,
    ticket: judged?.ticket ?? null,
    fault: { code: fault.code, context: { ...fault.context } },
    judgedBy: judged === null ? 'station' : `gateway ${judged.gateway}`,
    verdictHash,
    // What may be on the chip stays listed until it is terminated and revoked.
    revocation: {
      generation: effect === 'closes' ? (row?.generation ?? null) : null,
      keyVersions: [...(judged?.keyVersionsTouched ?? [])],
      certificateSerials: [...(judged?.certificateSerials ?? [])],
    },
  };
  const leafIndex = draft.append(leafOf('rejection', `rejection/${visit}`, at, body));
  draft.rejections.push({
    visit,
    operation,
    eid,
    faultCode: fault.code,
    entry: fromText(canonicalJson(body)),
    leafIndex,
  });
  return leafIndex;
}
