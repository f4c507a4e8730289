/** What the station knows of its gate controller when an action begins, and how it makes sure. */
import { Fault } from '../core/faults.ts';
import type { ControllerReport } from '../core/gate/release.ts';
import { deadlines } from '../core/operation/deadlines.ts';
import type { Means, Task } from './task.ts';

/** The controller's last word where it names this arrival; it reports every change by itself.
 * @throws Fault JIG_LINK_LOST when the arrival cannot be made sure of */
export async function knownReport(means: Means, task: Task): Promise<ControllerReport | null> {
  const last = task.lastReport();
  return last?.arrival === task.visit.arrival ? last : freshReport(means, task);
}

/** The controller's word once every gate is shut: nothing is clamped that may be leaving.
 * @throws Fault GATE_OPEN_LONG, JIG_LINK_LOST */
export async function restingReport(means: Means, task: Task): Promise<ControllerReport | null> {
  const { waitMs, attemptsMax } = deadlines.gateRest;
  let report = await knownReport(means, task);
  for (let attempt = 0; report?.gate === 'open' && attempt < attemptsMax; attempt++) {
    await new Promise<void>((resolve) => {
      means.ports.clock.after(waitMs, resolve);
    });
    report = await freshReport(means, task);
  }
  if (report?.gate === 'open') throw new Fault('GATE_OPEN_LONG', { controller: report.controller });
  return report;
}

/** Asks the controller; null for another arrival, of which the nest has heard by then. @throws Fault JIG_LINK_LOST when the arrival cannot be made sure of */
export async function freshReport({ ports }: Means, { visit }: Task): Promise<ControllerReport | null> {
  const report = await ports.jig.report(visit.nest);
  return report.arrival === visit.arrival ? report : null;
}
