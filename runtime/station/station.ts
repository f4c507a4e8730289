/**
 * The station: one fixture's program. It relays, records and waits; it sees no key and judges no card by
 * itself, and it opens the gate only on two receipts that name the unit in its nest.
 */
import { gateKindOf, type StationConfig } from '../../config/station.ts';
import { asFault, Fault } from '../core/faults.ts';
import { type ControllerReport, type GateKind, gateText } from '../core/gate/release.ts';
import { exchanges } from '../core/messages/exchanges.ts';
import { openTicket, type TicketPayload } from '../core/messages/ticket.ts';
import { GATE_LOOK_MS } from '../core/operation/deadlines.ts';
import type { State } from '../core/operation/transitions.ts';
import { createRequester } from '../exchange/requester.ts';
import { performer } from './actions.ts';
import { createAgreement, settleAgreement } from './agreement.ts';
import { shiftInstructions } from './instructions/shifts.ts';
import { LogMemory } from './log-memory.ts';
import { Nest } from './nest.ts';
import { createOutbox } from './outbox.ts';
import { pastIn } from './past.ts';
import { type StationPorts, VERSION } from './ports.ts';
import { takingTurns } from './reader-turns.ts';
import { keepRenewed } from './renewal.ts';
import { createRetention } from './retention.ts';
import { openShifts } from './shifts.ts';
import { createStatus } from './status.ts';

export interface Station {
  /** Resolves when the station was stopped; rejects when it must end, and the supervisor starts it again. */
  readonly ended: Promise<void>;
  readonly nests: readonly Nest[];
  /** What the backend's word shows to be wrong with the journal; null while nothing is. */
  readonly journalTrouble: Fault | null;
  /** Ends at a safe point: nothing new is begun, what is in the journal stays. */
  stop(): Promise<void>;
}

/** States in which the unit waits for jig or person, and not for us. */
const idle: ReadonlySet<State> = new Set(['releasing', 'diverting', 'held', 'reject-held', 'vacant']);

/** Folds the journal, then listens. @throws Fault JOURNAL_FOREIGN, TICKET_INVALID, JOURNAL_DAMAGED */
export async function createStation(config: StationConfig, given: StationPorts): Promise<Station> {
  const ports: StationPorts = { ...given, reader: takingTurns(given.reader) };
  demandOwnJournal(config, ports);
  const ticket = readTicket(config, ports);
  const memory = new LogMemory(ports);
  const past = ports.past ?? (await pastIn(ports.journal, config.nests.length));
  for (const fact of past.receipts) memory.learn(fact);
  let end: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    end = { resolve, reject };
  });
  const failed = (error: unknown): void => end?.reject(error);
  const gate = gateKindOf(config);
  await noteStart(config, gate, ports);
  const requester = await createRequester(config.station, exchanges, ports);
  const present = { nests: () => nests, shift: () => shifts.receipt };
  const retention = createRetention(config, ports, { past, memory, ...present });
  const outbox = createOutbox(config, ports, { requester, retention, failed });
  const status = createStatus(config, ports, past.countersUpTo(ports.journal.cut), () => shifts.inCharge);
  const changed = (): void => status.shiftChanged();
  const shifts = await openShifts(config, ports, { requester, past: past.shift, changed, failed });
  const agreement = createAgreement(config, ports, requester);
  const perform = performer({ config, ports, requester, ticket, memory, agreement, shifts });
  let journalTrouble: Fault | null = null;
  const lacking = (fault: Fault): void => {
    ports.log.write('error', 'fault', { part: 'journal', code: fault.code, ...fault.context });
    journalTrouble ??= fault;
    agreement.deny(fault);
    for (const nest of nests) nest.hold(fault);
  };
  const nests: readonly Nest[] = config.nests.map(
    (nest) =>
      new Nest({
        name: nest.name,
        facts: past.factsOf(nest.name),
        ports,
        perform,
        failed,
        lacking,
        changed: (changed) => {
          const last = changed.view.facts.at(-1);
          if (last !== undefined) memory.learn(last);
          outbox.wake(idle.has(changed.view.state));
          status.changed(changed);
        },
      }),
  );
  await Promise.all(nests.map((nest) => lookForReader(nest.name, ports)));
  const stopLooking = await begin(nests, ports, () => status.publishAll(nests));
  const stopRenewing = renewing(config, nests, ports);
  settleAgreement(agreement, ports, lacking);
  await ports.instructions?.serve(shiftInstructions(shifts));
  outbox.wake(true);
  tellStart(config, gate, ports);
  return {
    ended,
    nests,
    get journalTrouble() {
      return journalTrouble;
    },
    stop: async () => {
      stopLooking();
      stopRenewing();
      shifts.stop();
      outbox.stop();
      await status.offline();
      end?.resolve();
    },
  };
}

/** @returns ends it */
function renewing(config: StationConfig, nests: readonly Nest[], ports: StationPorts): () => void {
  if (ports.identity === undefined) return () => undefined;
  return keepRenewed(config, ports.identity, ports, () => nests.some(({ view }) => !idle.has(view.state)));
}

function noteStart({ authority }: StationConfig, gate: GateKind, ports: StationPorts): Promise<unknown> {
  const fact = { name: 'started', nest: null, version: VERSION, authority, gate } as const;
  return ports.journal.append([{ fact, at: ports.clock.now() }]);
}

function tellStart({ station, nests }: StationConfig, kind: GateKind, { log }: StationPorts): void {
  const gate = gateText(kind);
  log.write('info', 'started', { station, version: VERSION, nests: nests.length, gate });
  if (kind === 'plain-firmata')
    log.write('warn', 'warning', {
      gate,
      warning: 'no release is verified at this gate, and it does not shut when this computer fails',
    });
}

/** Connects the reader before the first unit needs it; one that is missing is told at once. A reset loses
 * nothing: what a chip was in the middle of was lost with the last run. */
async function lookForReader(nest: string, ports: StationPorts): Promise<void> {
  const played = await ports.reader(nest).play([{ kind: 'cold-reset' }]);
  if (played.outcome !== 'played' && played.fault.code !== 'CARD_ABSENT')
    ports.log.write('warn', 'fault', { nest, code: played.fault.code, ...played.fault.context });
}

/** Connects each nest with what its jig says. A jig that is away is waited for: it announces itself.
 * @returns ends the asking */
async function begin(nests: readonly Nest[], ports: StationPorts, online: () => void): Promise<() => void> {
  const known = new Set<string>();
  const look = async (nest: Nest): Promise<void> => {
    // The answer is an event as well, and in its turn: taken here it could be older than what was heard since.
    await ports.jig.report(nest.name);
    nest.nudge();
  };
  const hear = (report: ControllerReport): void => {
    const nest = nests.find((n) => n.name === report.nest);
    if (nest === undefined) return;
    if (known.has(nest.name)) nest.report(report);
    else nest.restart(report);
    known.add(nest.name);
  };
  const lookAt = (nest: Nest): Promise<void> =>
    look(nest).catch((error: unknown) => {
      const fault = asFault(error, 'JIG_LINK_LOST');
      ports.log.write('warn', 'jig-lost', { nest: nest.name, code: fault.code, ...fault.context });
    });
  ports.jig.onEvent((event) => {
    if (event.kind === 'report') hear(event.report);
    else if (event.kind === 'ready') {
      ports.log.write('info', 'jig-ready');
      for (const nest of nests) void lookAt(nest);
    } else {
      for (const nest of nests) nest.forgetReport();
      ports.log.write('warn', 'jig-lost', { code: event.fault.code, ...event.fault.context });
    }
  });
  ports.bus.onLink((link) => {
    if (!link.up) {
      ports.log.write('warn', 'link-down', { code: link.fault.code, ...link.fault.context });
      return;
    }
    ports.log.write('info', 'link-up');
    online();
    for (const nest of nests) nest.nudge();
  });
  for (const nest of nests) await lookAt(nest);
  return keepLooking(nests, ports);
}

/** Asks now and then; the answers come as events. A link that is away is no news here. @returns ends it */
function keepLooking(nests: readonly Nest[], ports: StationPorts): () => void {
  let cancel: () => void = () => undefined;
  const next = (): void => {
    cancel = ports.clock.after(GATE_LOOK_MS, () => {
      const asked = nests.map((nest) => ports.jig.report(nest.name));
      void Promise.allSettled(asked).then(() => {
        if (!over) next();
      });
    });
  };
  let over = false;
  next();
  return () => {
    over = true;
    cancel();
  };
}

/** Storage is moved by hand: what is intact may yet be somebody else's. @throws Fault JOURNAL_FOREIGN */
function demandOwnJournal({ station }: StationConfig, { genesis }: StationPorts): void {
  if (genesis.station !== station)
    throw new Fault('JOURNAL_FOREIGN', { station, belongsTo: genesis.station });
}

function readTicket(config: StationConfig, ports: StationPorts): TicketPayload {
  const use = { station: config.station, nowMs: ports.clock.now() };
  return openTicket(ports.ticket, use, ports.trusted, ports.crypto);
}
