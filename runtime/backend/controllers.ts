/** Gate controllers: what they report is believed under their own key alone, and releases are numbered for each. */
import { Fault } from '../core/faults.ts';
import type { ControllerReport, GateKind, Lane, Release } from '../core/gate/release.ts';
import { isReportGenuine, tagRelease } from '../core/gate/tag.ts';
import type { TicketPayload } from '../core/messages/ticket.ts';
import type { ControllerRow, FleetTransaction, OperationRow, ReleaseRow } from '../core/store/fleet.ts';
import type { Draft } from './draft.ts';
import type { BackendPorts, ControllerKey } from './ports.ts';

/** A report without a code is believed of a gate only that is configured as plain, and of that one none with a code.
 * @throws Fault REPORT_INVALID when controller, station or code do not fit */
export function verifyReport(report: ControllerReport, station: string, ports: BackendPorts): ControllerKey {
  const known = ports.controllers.find((c) => c.name === report.controller && c.station === station);
  if (known === undefined) throw new Fault('REPORT_INVALID', { controller: report.controller, station });
  const why = objectionTo(report, known, ports);
  if (why !== null) throw new Fault('REPORT_INVALID', { controller: report.controller, why });
  return known;
}

function objectionTo(
  report: ControllerReport,
  { key }: ControllerKey,
  { crypto }: BackendPorts,
): string | null {
  if (key === null) return report.mac === null ? null : 'it has a code, and its gate is configured as plain';
  if (report.mac === null) return 'it has no code, and its gate is not configured as plain';
  return isReportGenuine(report, key, crypto) ? null : 'code is wrong';
}

/** Plain pins verify nothing, so nothing but laboratory units pass them. @throws Fault TICKET_INVALID */
export function checkGate(controller: ControllerKey, { ticket, profile }: TicketPayload): void {
  if (gateOf(controller) === 'plain-firmata' && profile !== 'laboratory')
    throw new Fault('TICKET_INVALID', { ticket, profile, why: 'a plain Firmata gate is for the laboratory' });
}

export function gateOf({ key }: ControllerKey): GateKind {
  return key === null ? 'plain-firmata' : 'controller';
}

/** A controller as known after a verified report. */
export interface ControllerLook {
  readonly row: ControllerRow;
  readonly changed: boolean;
  /** The release on which a unit left, where this report is the first to say so. */
  readonly left: ReleaseRow | null;
}

/** Reads what is known of the controller and adds what the report says; writes nothing. */
export async function lookAt(tx: FleetTransaction, report: ControllerReport): Promise<ControllerLook> {
  const [row, used] = await Promise.all([
    tx.controller(report.controller),
    report.left.counter === 0 ? null : tx.releaseByCounter(report.controller, report.left.counter),
  ]);
  const next: ControllerRow = {
    ...row,
    arrival: Math.max(row.arrival, report.arrival),
    obeyed: Math.max(row.obeyed, report.obeyed),
    leftCounter: Math.max(row.leftCounter, report.left.counter),
    leftArrival: Math.max(row.leftArrival, report.left.arrival),
  };
  const changed =
    next.arrival > row.arrival || next.obeyed > row.obeyed || next.leftCounter > row.leftCounter;
  return { row: next, changed, left: report.left.counter > row.leftCounter ? used : null };
}

/** Writes what was seen, and the number of the last release that was given. */
export async function settle(
  tx: FleetTransaction,
  look: ControllerLook,
  issued = look.row.issued,
): Promise<void> {
  // Together: a promise that is left alone while another fails has nobody who hears of its own failure.
  await Promise.all([
    look.changed || issued !== look.row.issued ? tx.updateController({ ...look.row, issued }) : undefined,
    markDeparture(tx, look.left),
  ]);
}

/** The same, into the draft. `departed`: the operation of the unit that left, as it was read together with the rest. */
export function settleLater(
  draft: Pick<Draft, 'operations' | 'controllers'>,
  { row, changed, left }: ControllerLook,
  { departed, issued }: { readonly departed: OperationRow | null; readonly issued: number },
): void {
  if (changed || issued !== row.issued) draft.controllers.set(row.controller, { ...row, issued });
  if (departed !== null) draft.operations.set(departed.operation, leftBy(departed, left));
}

function leftBy(operation: OperationRow, left: ControllerLook['left']): OperationRow {
  return { ...operation, state: left?.lane === 'reject' ? 'diverted' : 'released' };
}

async function markDeparture(tx: FleetTransaction, left: ControllerLook['left']): Promise<void> {
  const operation = left === null ? null : await tx.operationById(left.operation);
  if (operation !== null) await tx.updateOperation(leftBy(operation, left));
}

export interface ReleaseOrder {
  readonly operation: string;
  readonly epoch: number;
  readonly lane: Lane;
  /** Verified, and says which unit is present. */
  readonly report: ControllerReport;
  readonly controller: ControllerRow;
  /** The last release for this operation; null for none. */
  readonly former: ReleaseRow | null;
  /** The controller of the former release as known, where it is another. */
  readonly formerController: ControllerRow | null;
}

/** The release for the unit that is present: the same one for the same arrival and epoch, else the next one, once
 * the former is shown to be void. @throws Fault RELEASE_USED, REPORT_INVALID */
export function releaseFor(order: ReleaseOrder): { readonly row: ReleaseRow; readonly isNew: boolean } {
  const { report, former } = order;
  if (report.arrival === 0) throw new Fault('REPORT_INVALID', { why: 'no unit is present' });
  if (former !== null) {
    const same = former.controller === report.controller && former.arrival === report.arrival;
    if (same && former.epoch === order.epoch && former.lane === order.lane)
      return { row: former, isNew: false };
    demandVoid(former, order);
  }
  const { operation, epoch, lane } = order;
  const { controller, nest, arrival } = report;
  const counter = order.controller.issued + 1;
  return { row: { controller, counter, nest, lane, operation, epoch, arrival }, isNew: true };
}

/** A release is spent when its unit left on it. It is void once its arrival has ended otherwise, and while the
 * controller has not obeyed it: the next one, with a higher number, then takes its place. */
function demandVoid(former: ReleaseRow, { report, controller, formerController }: ReleaseOrder): void {
  const here = former.controller === report.controller;
  const known = here ? controller : formerController;
  const spent = here && report.left.counter === former.counter;
  const ended = known !== null && known.arrival > former.arrival;
  const ignored = here && report.arrival === former.arrival && report.obeyed < former.counter;
  if (spent || !(ended || ignored))
    throw new Fault('RELEASE_USED', { controller: former.controller, counter: former.counter });
}

export function signedRelease(row: ReleaseRow, { key }: ControllerKey, ports: BackendPorts): Release {
  const { controller, nest, lane, operation, epoch, arrival, counter } = row;
  const release = { controller, nest, lane, operation, epoch, arrival, counter };
  return key === null ? { ...release, tag: null } : tagRelease(release, key, ports.crypto);
}
