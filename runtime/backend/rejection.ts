/** Records a verdict on a card and lets the unit go by the reject lane, and by no other. */
import { type Bytes, fromText } from '../core/bytes.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { Fault, type FaultNote } from '../core/faults.ts';
import type { ControllerReport, GateKind } from '../core/gate/release.ts';
import { instantOf } from '../core/instant.ts';
import { leafOf } from '../core/log/leaf.ts';
import { hashOf, open, seal } from '../core/messages/envelope.ts';
import type { rejectExchange } from '../core/messages/exchanges.ts';
import { rejection, type Verdict, verdict } from '../core/messages/receipts.ts';
import type { OperationRow, ReleaseRow } from '../core/store/fleet.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import { gateOf, lookAt, releaseFor, settle, signedRelease, verifyReport } from './controllers.ts';
import type { BackendPorts } from './ports.ts';
import { placeInLog } from './receipts.ts';
import type { Draft, Sequencer } from './sequencer.ts';

interface Checked {
  readonly station: string;
  readonly visit: string;
  readonly eid: string | null;
  readonly fault: FaultNote;
  readonly verdict: Verdict | null;
  readonly verdictHash: string | null;
  readonly report: ControllerReport;
  readonly gate: GateKind;
  readonly at: string;
}

interface Rejected {
  readonly operation: string;
  readonly leaf: { readonly index: number; readonly entry: Bytes };
  readonly release: ReleaseRow;
}

export function rejectHandler(ports: BackendPorts, sequencer: Sequencer): HandlerOf<typeof rejectExchange> {
  return async ({ station, nest, body }) => {
    const controller = verifyReport(body.report, station, ports);
    const judged =
      body.verdict === null ? null : open(verdict, body.verdict, ports.trusted, ports.crypto).payload;
    if (judged !== null && judged.eid !== body.identity?.eid)
      throw new Fault('CONFIRMATION_INVALID', { why: 'the verdict is about another unit' });
    const checked: Checked = {
      station,
      visit: body.visit,
      eid: body.identity?.eid ?? null,
      fault: body.fault,
      verdict: judged,
      verdictHash: body.verdict === null ? null : hashOf(body.verdict, ports.crypto),
      report: body.report,
      gate: gateOf(controller),
      at: instantOf(ports.clock.now()),
    };
    const { value, log } = await sequencer.add((draft) => reject(draft, checked), true);
    const receipt = await seal(
      rejection,
      {
        station,
        nest,
        visit: body.visit,
        operation: value.operation,
        eid: checked.eid,
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

/** @throws Fault RELEASE_USED */
async function reject(draft: Draft, checked: Checked): Promise<Rejected> {
  const { tx } = draft;
  const { report, visit } = checked;
  const [look, row, known] = await Promise.all([
    lookAt(tx, report),
    checked.eid === null ? null : tx.operationByEid(checked.eid),
    tx.rejection(visit),
  ]);
  if (row?.state === 'released') throw new Fault('UNIT_RELEASED_BEFORE', { operation: row.operation });
  const operation = row?.operation ?? visit;
  const former =
    draft.releases.find((drafted) => drafted.operation === operation) ?? (await tx.lastRelease(operation));
  const elsewhere = former !== null && former.controller !== report.controller;
  const { row: release, isNew } = releaseFor({
    operation,
    epoch: row?.epoch ?? 0,
    lane: 'reject',
    report,
    controller: look.row,
    former,
    formerController: elsewhere ? await tx.controller(former.controller) : null,
  });
  const leafIndex = known?.leafIndex ?? write(draft, operation, row, checked);
  if (isNew) draft.releases.push(release);
  await settle(tx, look, isNew ? release.counter : look.row.issued);
  if (row !== null && row.state !== 'diverted') await tx.updateOperation({ ...row, state: 'rejected' });
  return { operation, leaf: { index: leafIndex, entry: await draft.entryAt(leafIndex) }, release };
}

function write(draft: Draft, operation: string, row: OperationRow | null, checked: Checked): number {
  const { verdict: judged, eid, fault, visit, station, gate, verdictHash, at } = checked;
  // What may be on the chip stays listed until it is terminated and revoked.
  const touched = judged?.keyVersionsTouched ?? (row === null ? [] : [row.keyVersion]);
  const body = {
    visit,
    operation,
    eid,
    station,
    gate,
    fault: { code: fault.code, context: { ...fault.context } },
    judgedBy: judged === null ? 'station' : `gateway ${judged.gateway}`,
    verdictHash,
    revocation: {
      generation: row?.generation ?? null,
      keyVersions: [...touched],
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
