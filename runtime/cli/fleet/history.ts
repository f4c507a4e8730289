/** Rebuilds the state of a unit at an instant from what the fleet database has of the log. */
import { Fault } from '../../core/faults.ts';
import { serialsIn, UNIT_LEAVES_MAX, unitHistoryOf } from '../../core/history/unit-history.ts';
import { type UnitState, unitStateOf } from '../../core/history/unit-state.ts';
import type { HeadRow } from '../../core/store/fleet.ts';
import type { FleetView } from '../means.ts';

export interface Rebuilt {
  readonly state: UnitState;
  /** Covers every leaf that the state follows from. */
  readonly head: HeadRow;
}

/** @param at ISO 8601; leaves of later than this do not count. @throws Fault HISTORY_TOO_LONG */
export async function rebuild(eid: string, at: string, view: FleetView): Promise<Rebuilt> {
  const [leaves, fallen, head] = await Promise.all([
    view.leavesAbout(eid, at, UNIT_LEAVES_MAX),
    view.revokedIssuers(),
    view.readHead(),
  ]);
  if (leaves.length >= UNIT_LEAVES_MAX)
    throw new Fault('HISTORY_TOO_LONG', { eid: eid.slice(-4), leaves: leaves.length });
  const serials = serialsIn(leaves);
  const revocations = serials.length === 0 ? [] : await view.revocationsAmong(serials);
  return { state: unitStateOf(eid, unitHistoryOf({ leaves, revocations, fallen }, at)), head };
}
