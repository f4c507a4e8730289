/** Has a reject recorded before its unit may leave by the lane for rejects. */
import { isFault } from '../core/faults.ts';
import { unbound } from '../core/messages/exchange.ts';
import { rejectExchange } from '../core/messages/exchanges.ts';
import { deadlines } from '../core/operation/deadlines.ts';
import { visitOf } from '../core/operation/gate.ts';
import { factOf, judgeRejection, type RejectionSubject } from '../core/operation/receipt-judge.ts';
import { freshReport } from './reports.ts';
import { judgement, type Means, shiftIn, startOver, type Task } from './task.ts';

export async function registerReject(means: Means, task: Task): Promise<void> {
  const report = await freshReport(means, task);
  const intent = factOf(visitOf(task.facts), 'reject-intent');
  if (report === null || intent === undefined) return;
  const attempt = visitOf(task.facts);
  const identity = factOf(attempt, 'identified')?.identity ?? null;
  const reservation = factOf(attempt, 'reserved')?.receipt ?? null;
  const receipt = await means.memory.inTurn(async () => {
    if (task.isOver()) return null; // The nest went on while another's receipt was waited for.
    const by = { ...judgement(means, task), known: means.memory.known };
    const asking = means.requester.ask(
      rejectExchange,
      { nest: task.visit.nest, to: 'backend', step: 0, binding: unbound, retry: deadlines.register },
      {
        visit: task.visit.visit,
        identity: identity === null ? null : { ...identity, keyVersions: [...identity.keyVersions] },
        reservation,
        verdict: intent.verdict,
        fault: { code: intent.fault.code, context: { ...intent.fault.context } },
        report,
        knownTreeSize: by.known?.size ?? 0,
        ...shiftIn(means),
      },
    );
    const body = await asking.then((answer) => answer.body, orNullWhenStale);
    if (body === null) return 'stale';
    means.memory.keep(judgeRejection(body.rejection, rejectionOf(task), by).checkpoint);
    return { rejection: body.rejection };
  });
  if (receipt === 'stale') return startOver(means, task);
  if (receipt !== null) void task.tell({ on: 'reject-registered', receipt: receipt.rejection });
}

/** A verdict on an old reservation will never be taken: the unit is judged anew under the next one. */
function orNullWhenStale(error: unknown): null {
  if (isFault(error) && error.code === 'RESERVATION_STALE') return null;
  throw error;
}

/** What a reject receipt must be about. */
export function rejectionOf({ visit, facts }: Task): RejectionSubject {
  const present = visitOf(facts);
  return {
    visit: visit.visit,
    arrival: visit.arrival,
    eid: factOf(present, 'identified')?.identity.eid ?? null,
    faultCode: factOf(present, 'reject-intent')?.fault.code ?? '',
  };
}
