/** What the station does in each state. Every outcome goes back to the nest as a happening. */
import { asFault, Fault, isVerdict } from '../core/faults.ts';
import type { Release } from '../core/gate/release.ts';
import { hashOf } from '../core/messages/envelope.ts';
import { unbound } from '../core/messages/exchange.ts';
import { registerExchange, reserveExchange } from '../core/messages/exchanges.ts';
import { deadlines } from '../core/operation/deadlines.ts';
import { currentAttempt, gate, visitOf } from '../core/operation/gate.ts';
import { happeningsOf } from '../core/operation/happenings.ts';
import {
  factOf,
  judgeAttempt,
  judgeConfirmation,
  judgeRegistration,
  judgeRejection,
  judgeReservation,
} from '../core/operation/receipt-judge.ts';
import type { Action } from '../core/operation/transitions.ts';
import { uuidV4 } from '../core/uuid.ts';
import { holdDelayMs, holdsOf } from './holds.ts';
import { identify } from './identification.ts';
import type { Perform } from './nest.ts';
import { demandPassage } from './passage.ts';
import { personalize } from './personalization.ts';
import { VERSION } from './ports.ts';
import { registerReject, rejectionOf } from './rejecting.ts';
import { freshReport, knownReport, restingReport } from './reports.ts';
import { judgement, type Means, shiftIn, startOver, type Task } from './task.ts';

const actions = {
  clamp,
  identify: identifyUnit,
  reserve,
  personalize: personalizeUnit,
  play: startOver, // While the station runs, the dialogue that issued the list plays it by itself.
  register,
  judge,
  open: openGate,
  'register-reject': registerReject,
  divert,
  wait,
} as const satisfies Record<Action, (means: Means, task: Task) => Promise<unknown>>;

/** A failure holds the unit, or condemns it when it is a verdict on the card. Until the backend has recognized the
 * journal nothing is done: what it says of the unit may be long past. */
export function performer(means: Means): Perform {
  return (action, visit, context) => {
    const task: Task = { visit, ...context };
    const agreed = action === 'wait' ? Promise.resolve() : means.agreement();
    const done = agreed.then(() => actions[action](means, task));
    done.catch((error: unknown) => {
      const fault = asFault(error, 'UNEXPECTED', { action });
      if (fault.code === 'UNEXPECTED')
        means.ports.log.write('error', 'fault', {
          action,
          cause: String(fault.cause),
          stack: (fault.cause as Error | undefined)?.stack,
        });
      void task.tell(isVerdict(fault) ? { on: 'condemned', fault, verdict: null } : { on: 'fault', fault });
    });
  };
}

/** A unit is begun only where it can be recorded to its end; one that is reserved is finished. One that does not leave
 * through its open gate is not tried for ever. */
async function clamp(means: Means, task: Task): Promise<void> {
  demandPassage(task.facts);
  if (factOf(visitOf(task.facts), 'reserved') === undefined) await means.ports.journal.requireRoom();
  if ((await restingReport(means, task)) === null) return;
  const { ports } = means;
  ports.failpoint('jig:clamp:before');
  await ports.jig.clamp(task.visit.nest, 'closed');
  ports.failpoint('jig:clamp:after');
  void task.tell({ on: 'clamped' });
}

async function identifyUnit(means: Means, task: Task): Promise<void> {
  const identity = await identify(means.ports.reader(task.visit.nest), means.ticket, means.ports.crypto);
  void task.tell({ on: 'identified', identity });
}

async function reserve(means: Means, task: Task): Promise<void> {
  const report = await knownReport(means, task);
  const identity = factOf(currentAttempt(task.facts), 'identified')?.identity;
  if (report === null || identity === undefined) return;
  const { body } = await means.requester.ask(
    reserveExchange,
    { nest: task.visit.nest, to: 'backend', step: 0, binding: unbound, retry: deadlines.reserve },
    {
      attempt: uuidV4(means.ports.entropy.bytes(16)),
      ticket: means.ports.ticket,
      identity: { ...identity, keyVersions: [...identity.keyVersions] },
      report,
      ...shiftIn(means),
    },
  );
  judgeReservation(body.reservation, identity, judgement(means, task));
  void task.tell({ on: 'reserved', receipt: body.reservation });
}

async function personalizeUnit(means: Means, task: Task): Promise<void> {
  if (task.inspect) return startOver(means, task);
  const attempt = currentAttempt(task.facts);
  const identity = factOf(attempt, 'identified')?.identity;
  const receipt = factOf(attempt, 'reserved')?.receipt;
  if (identity === undefined || receipt === undefined) return;
  const by = judgement(means, task);
  const reserved = judgeReservation(receipt, identity, by);
  const outcome = await personalize(means, task, { identity, receipt, reserved });
  if (outcome === null) return;
  if (outcome.kind === 'verdict') {
    void task.tell({ on: 'condemned', fault: outcome.fault, verdict: outcome.verdict });
    return;
  }
  judgeConfirmation(outcome.confirmation, reserved, outcome.transcriptHash, by);
  void task.tell({ on: 'confirmed', receipt: outcome.confirmation });
}

async function register(means: Means, task: Task): Promise<void> {
  const report = await knownReport(means, task);
  const attempt = currentAttempt(task.facts);
  const identity = factOf(attempt, 'identified')?.identity;
  const reservation = factOf(attempt, 'reserved')?.receipt;
  const confirmation = factOf(attempt, 'confirmed')?.receipt;
  if (report === null || !identity || reservation === undefined || confirmation === undefined) return;
  const unseen = judgement(means, task);
  const reserved = judgeReservation(reservation, identity, unseen);
  const confirmed = judgeConfirmation(confirmation, reserved, null, unseen);
  const registration = await means.memory.inTurn(async () => {
    if (task.isOver()) return null; // The nest went on while another's receipt was waited for.
    const by = { ...unseen, known: means.memory.known };
    const { body } = await means.requester.ask(
      registerExchange,
      {
        nest: task.visit.nest,
        to: 'backend',
        step: 0,
        binding: { operation: reserved.operation, epoch: reserved.epoch },
        retry: deadlines.register,
      },
      {
        reservation,
        confirmation,
        ticket: means.ports.ticket,
        report,
        knownTreeSize: by.known?.size ?? 0,
        holds: holdsOf(task.facts),
        software: `holdfast ${VERSION}`,
      },
    );
    const confirmationHash = hashOf(confirmation, means.ports.crypto);
    const about = { confirmed, confirmationHash, arrival: task.visit.arrival };
    means.memory.keep(judgeRegistration(body.registration, about, by).checkpoint);
    return body.registration;
  });
  if (registration !== null) void task.tell({ on: 'registered', receipt: registration });
}

async function judge(means: Means, task: Task): Promise<void> {
  const attempt = judgeAttempt(currentAttempt(task.facts), task.visit.arrival, judgement(means, task));
  const verdict = gate(task.facts, () => (attempt.convinced ? [] : attempt.problems));
  if (!verdict.open) throw new Fault('GATE_NOT_PERMITTED', { missing: verdict.missing.join('; ') });
  if (attempt.convinced) void task.tell({ on: 'permitted', release: attempt.release });
}

async function openGate(means: Means, task: Task): Promise<void> {
  const release = factOf(task.facts, 'release-intent')?.release;
  if (release !== undefined) await obey(means, task, release);
}

async function divert(means: Means, task: Task): Promise<void> {
  const receipt = factOf(task.facts, 'reject-registered')?.receipt;
  if (receipt === undefined) return;
  const { release } = judgeRejection(receipt, rejectionOf(task), judgement(means, task));
  await obey(means, task, release);
}

/** Unclamps and asks the controller. After a restart the controller's own word decides whether it is asked again. */
async function obey(means: Means, task: Task, release: Release): Promise<void> {
  const { jig, failpoint } = means.ports;
  const report = await (task.inspect ? freshReport : knownReport)(means, task);
  if (report === null) return;
  if (task.inspect && report.obeyed >= release.counter)
    throw new Fault('GATE_CLOSED', { counter: release.counter });
  failpoint('jig:unclamp:before');
  await jig.clamp(task.visit.nest, 'open');
  failpoint('jig:unclamp:after');
  failpoint('jig:open:before');
  const left = await jig.open(release);
  failpoint('jig:open:after');
  for (const what of happeningsOf(left, task.visit.arrival)) void task.tell(what);
}

async function wait({ ports }: Means, task: Task): Promise<void> {
  ports.clock.after(holdDelayMs(task.facts), () => void task.tell({ on: 'resume-due' }));
}
