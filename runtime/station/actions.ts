/** What the station does in each state. Every outcome goes back to the nest as a happening. */
import { gateKindOf, type StationConfig } from '../../config/station.ts';
import { cardProfile } from '../core/card/profile.ts';
import { asFault, Fault, isVerdict } from '../core/faults.ts';
import type { ControllerReport, Release } from '../core/gate/release.ts';
import { hashOf } from '../core/messages/envelope.ts';
import { unbound } from '../core/messages/exchange.ts';
import { registerExchange, rejectExchange, reserveExchange } from '../core/messages/exchanges.ts';
import type { TicketPayload } from '../core/messages/ticket.ts';
import { deadlines } from '../core/operation/deadlines.ts';
import type { Fact } from '../core/operation/facts.ts';
import { currentAttempt, gate, visitOf } from '../core/operation/gate.ts';
import { happeningsOf } from '../core/operation/happenings.ts';
import {
  factOf,
  type Judgement,
  judgeAttempt,
  judgeConfirmation,
  judgeRegistration,
  judgeRejection,
  judgeReservation,
  type RejectionSubject,
} from '../core/operation/receipt-judge.ts';
import type { Action } from '../core/operation/transitions.ts';
import { uuidV4 } from '../core/uuid.ts';
import type { Requester } from '../exchange/requester.ts';
import type { Agreement } from './agreement.ts';
import { holdDelayMs, holdsOf } from './holds.ts';
import { identify } from './identification.ts';
import type { LogMemory } from './log-memory.ts';
import type { Perform, Tell, Visit } from './nest.ts';
import { personalize } from './personalization.ts';
import type { StationPorts } from './ports.ts';

export interface Means {
  readonly config: StationConfig;
  readonly ports: StationPorts;
  readonly requester: Requester;
  readonly ticket: TicketPayload;
  readonly memory: LogMemory;
  readonly agreement: Agreement;
}

/** One action of one visit. */
export interface Task {
  readonly visit: Visit;
  readonly inspect: boolean;
  readonly facts: readonly Fact[];
  readonly tell: Tell;
  /** What the gate controller said last; null before it said anything, and after its link was lost. */
  readonly lastReport: () => ControllerReport | null;
}

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

/** The controller's last word where it names this arrival; it reports every change by itself.
 * @throws Fault JIG_LINK_LOST when the arrival cannot be made sure of */
async function knownReport(means: Means, task: Task): Promise<ControllerReport | null> {
  const last = task.lastReport();
  return last?.arrival === task.visit.arrival ? last : freshReport(means, task);
}

/** The controller's word once every gate is shut: nothing is clamped that may be leaving.
 * @throws Fault GATE_OPEN_LONG, JIG_LINK_LOST */
async function restingReport(means: Means, task: Task): Promise<ControllerReport | null> {
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
async function freshReport({ ports }: Means, { visit }: Task): Promise<ControllerReport | null> {
  const report = await ports.jig.report(visit.nest);
  return report.arrival === visit.arrival ? report : null;
}

/** A unit is begun only where it can be recorded to its end; one that is reserved is finished. */
async function clamp(means: Means, task: Task): Promise<void> {
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
    },
  );
  judgeReservation(body.reservation, identity, judgement(means, task));
  void task.tell({ on: 'reserved', receipt: body.reservation });
}

/** The dialogue's answers are gone with the last run: a new epoch, and the gateway asks the card. */
async function startOver(_means: Means, task: Task): Promise<void> {
  void task.tell({ on: 'resume-due' });
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
  const by = { ...judgement(means, task), known: means.memory.known };
  const reserved = judgeReservation(reservation, identity, by);
  const confirmed = judgeConfirmation(confirmation, reserved, null, by);
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
    },
  );
  const confirmationHash = hashOf(confirmation, means.ports.crypto);
  judgeRegistration(body.registration, { confirmed, confirmationHash, arrival: task.visit.arrival }, by);
  void task.tell({ on: 'registered', receipt: body.registration });
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

async function registerReject(means: Means, task: Task): Promise<void> {
  const report = await freshReport(means, task);
  const intent = factOf(visitOf(task.facts), 'reject-intent');
  if (report === null || intent === undefined) return;
  const attempt = visitOf(task.facts);
  const identity = factOf(attempt, 'identified')?.identity ?? null;
  const reservation = factOf(attempt, 'reserved')?.receipt ?? null;
  const by = { ...judgement(means, task), known: means.memory.known };
  const { body } = await means.requester.ask(
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
    },
  );
  judgeRejection(body.rejection, rejectionOf(task), by);
  void task.tell({ on: 'reject-registered', receipt: body.rejection });
}

/** What a reject receipt must be about. */
function rejectionOf({ visit, facts }: Task): RejectionSubject {
  const present = visitOf(facts);
  return {
    visit: visit.visit,
    arrival: visit.arrival,
    eid: factOf(present, 'identified')?.identity.eid ?? null,
    faultCode: factOf(present, 'reject-intent')?.fault.code ?? '',
  };
}

async function wait({ ports }: Means, task: Task): Promise<void> {
  ports.clock.after(holdDelayMs(task.facts), () => void task.tell({ on: 'resume-due' }));
}

/** Without what was seen of the log: consistency is judged where a receipt arrives. */
function judgement({ config, ports, ticket }: Means, { visit }: Task): Judgement {
  return {
    station: config.station,
    nest: visit.nest,
    controller: config.controller,
    cardProfile: cardProfile(ticket.cardProfile),
    gate: gateKindOf(config),
    trusted: ports.trusted,
    logKey: ports.logKey,
    crypto: ports.crypto,
    known: null,
  };
}
