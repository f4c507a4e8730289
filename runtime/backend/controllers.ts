/** Gate controllers: what they report is believed under their own key alone, and releases are numbered for each. */
import { Fault } from '../core/faults.ts';
import type { ControllerReport, Lane, Release } from '../core/gate/release.ts';
import { isReportGenuine, tagRelease } from '../core/gate/tag.ts';
import type { FleetTransaction, ReleaseRow } from '../core/store/fleet.ts';
import type { BackendPorts, ControllerKey } from './ports.ts';

/** @throws Fault REPORT_INVALID when controller, station or code do not fit */
export function verifyReport(report: ControllerReport, station: string, ports: BackendPorts): ControllerKey {
  const known = ports.controllers.find((c) => c.name === report.controller && c.station === station);
  if (known === undefined) throw new Fault('REPORT_INVALID', { controller: report.controller, station });
  if (!isReportGenuine(report, known.key, ports.crypto))
    throw new Fault('REPORT_INVALID', { controller: report.controller, why: 'code is wrong' });
  return known;
}

/** Notes what a verified report says, and that the unit whose release it names has left. */
export async function absorbReport(tx: FleetTransaction, report: ControllerReport): Promise<void> {
  const row = await tx.controller(report.controller);
  if (report.arrival <= row.arrival && report.left.counter <= row.leftCounter && report.obeyed <= row.obeyed)
    return;
  await tx.updateController({
    ...row,
    arrival: Math.max(row.arrival, report.arrival),
    obeyed: Math.max(row.obeyed, report.obeyed),
    leftCounter: Math.max(row.leftCounter, report.left.counter),
    leftArrival: Math.max(row.leftArrival, report.left.arrival),
  });
  if (report.left.counter <= row.leftCounter) return;
  const used = await tx.releaseByCounter(report.controller, report.left.counter);
  const operation = used === null ? null : await tx.operationById(used.operation);
  if (operation !== null)
    await tx.updateOperation({ ...operation, state: used?.lane === 'reject' ? 'diverted' : 'released' });
}

export interface ReleaseOrder {
  readonly operation: string;
  readonly epoch: number;
  readonly lane: Lane;
  /** Verified, and says which unit is present. */
  readonly report: ControllerReport;
}

/** The release for the unit that is present: the same one for the same arrival and epoch, else a new one, once
 * the former is shown to be unused. The caller inserts the row when it is new.
 * @throws Fault RELEASE_USED, REPORT_INVALID */
export async function releaseFor(
  tx: FleetTransaction,
  order: ReleaseOrder,
  drafted: readonly ReleaseRow[],
): Promise<{ readonly row: ReleaseRow; readonly isNew: boolean }> {
  const { report } = order;
  if (report.arrival === 0) throw new Fault('REPORT_INVALID', { why: 'no unit is present' });
  const former =
    drafted.find((r) => r.operation === order.operation) ?? (await tx.lastRelease(order.operation));
  if (former !== null) {
    const same = former.controller === report.controller && former.arrival === report.arrival;
    if (same && former.epoch === order.epoch && former.lane === order.lane)
      return { row: former, isNew: false };
    await demandUnused(tx, former, report);
  }
  const controller = await tx.controller(report.controller);
  const counter = controller.issued + 1;
  await tx.updateController({ ...controller, issued: counter });
  const { operation, epoch, lane } = order;
  const { nest, arrival } = report;
  return {
    row: { controller: report.controller, counter, nest, lane, operation, epoch, arrival },
    isNew: true,
  };
}

/** A release is spent when a unit left on it; it is void when its arrival ended otherwise, or was never obeyed. */
async function demandUnused(
  tx: FleetTransaction,
  former: ReleaseRow,
  report: ControllerReport,
): Promise<void> {
  const seen = await tx.controller(former.controller);
  const now = former.controller === report.controller ? report : null;
  const leftCounter = Math.max(seen.leftCounter, now?.left.counter ?? 0);
  const arrival = Math.max(seen.arrival, now?.arrival ?? 0);
  const isVoid =
    arrival > former.arrival ||
    (now !== null && now.arrival === former.arrival && now.obeyed < former.counter);
  if (leftCounter >= former.counter || !isVoid)
    throw new Fault('RELEASE_USED', { controller: former.controller, counter: former.counter });
}

export function signedRelease(row: ReleaseRow, controller: ControllerKey, ports: BackendPorts): Release {
  return tagRelease(
    {
      controller: row.controller,
      nest: row.nest,
      lane: row.lane,
      operation: row.operation,
      epoch: row.epoch,
      arrival: row.arrival,
      counter: row.counter,
    },
    controller.key,
    ports.crypto,
  );
}
