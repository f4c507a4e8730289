/** Releases under way: each waits for what its gate says of it, and for no longer than it may take. */
import { Fault } from '../../../runtime/core/faults.ts';
import type { ControllerReport, Reason, Release } from '../../../runtime/core/gate/release.ts';

export interface Openings {
  /**
   * Resolves with LEFT.
   * @param query number of this question, which its answer repeats
   * @param ask puts the release before the gate
   * @throws Fault GATE_REFUSED, GATE_CLOSED, JIG_LINK_LOST
   */
  begin(release: Release, query: number, ask: () => void): Promise<ControllerReport>;
  /** What the gate said; `query` is 0 when nobody asked. */
  hear(report: ControllerReport, query: number): void;
  /** Fails what is under way. */
  stop(fault: Fault): void;
}

interface Opening {
  readonly release: Release;
  readonly query: number;
  accepted: boolean;
  readonly resolve: (report: ControllerReport) => void;
  readonly reject: (fault: Fault) => void;
}

/** From OPEN to the gate's word that it obeys or refuses. */
const JUDGE_MS = 500;

export function createOpenings(leaveMs: number): Openings {
  const openings = new Set<Opening>();
  return {
    begin: (release, query, ask) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          clearTimeout(unjudged);
          clearTimeout(late);
          openings.delete(opening);
        };
        const opening: Opening = {
          release,
          query,
          accepted: false,
          resolve: (report) => {
            end();
            resolve(report);
          },
          reject: (fault) => {
            end();
            reject(fault);
          },
        };
        const silent = (waitsFor: string): void => opening.reject(new Fault('JIG_LINK_LOST', { waitsFor }));
        const unjudged = setTimeout(() => opening.accepted || silent('answer to a release'), JUDGE_MS);
        const late = setTimeout(() => silent('unit to leave'), leaveMs);
        openings.add(opening);
        ask();
      }),
    hear: (report, query) => {
      for (const opening of [...openings]) settle(opening, report, query);
    },
    stop: (fault) => {
      for (const opening of [...openings]) opening.reject(fault);
    },
  };
}

export function refusal({ nest, arrival, counter }: Release, reason: Reason): Fault {
  return new Fault('GATE_REFUSED', { reason, nest, arrival, counter });
}

/** What a report means for a release under way. The same number twice is the gate's answer to it. */
function settle(opening: Opening, report: ControllerReport, query: number): void {
  const { release } = opening;
  const { counter, arrival } = release;
  const { reason } = report;
  if (query === opening.query) {
    if (report.kind === 'refused') opening.reject(refusal(release, reason));
    else opening.accepted = true;
  } else if (report.kind === 'left' && report.left.counter === counter && report.left.arrival === arrival)
    opening.resolve(report);
  else if (report.kind === 'closed' && reason === 'reset')
    opening.reject(new Fault('JIG_LINK_LOST', { waitsFor: 'unit to leave', reason }));
  else if (report.kind === 'closed' && report.obeyed === counter)
    opening.reject(new Fault('GATE_CLOSED', { reason, nest: report.nest, arrival, counter }));
}
