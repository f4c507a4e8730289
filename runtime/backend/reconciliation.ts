/**
 * Reconciles every open ticket again and again: a retained status for the MES, and an alarm that names the unit as soon
 * as two counts do not agree. It changes nothing.
 */
import type { z } from 'zod';
import { asFault, Fault } from '../core/faults.ts';
import type { LifeState } from '../core/history/life.ts';
import { unitEventOf } from '../core/history/unit-event.ts';
import { instantOf } from '../core/instant.ts';
import { encodeJson, topicOf } from '../core/messages/channel.ts';
import { openCounts } from '../core/messages/close-out.ts';
import {
  type reconcileInstruction,
  STATUS_DIFFERENCES_MAX,
  statusReconciliation,
} from '../core/messages/reconciliation.ts';
import { type MesCount, type Reconciliation, reconcile } from '../core/orders/reconciliation.ts';
import type { FleetTransaction } from '../core/store/fleet.ts';
import type { LedgerUnit } from '../core/store/ledger.ts';
import type { TicketUnit } from '../core/store/orders.ts';
import type { BackendPorts } from './ports.ts';

type Asked = z.output<typeof reconcileInstruction.body>;
type Answer = z.input<typeof reconcileInstruction.answer>;

const UNITS_PER_READ = 5_000;
const TICKETS_MAX = 1_000;
const NAMED_MAX = 1_000;

export interface Reconciler {
  /** @throws Fault CLOSE_OUT_REFUSED, ENVELOPE_INVALID, STORE_UNAVAILABLE */
  ask(asked: Asked): Promise<Answer>;
}

/** @param everyMs between two rounds over all open tickets; null: it waits until it is asked */
export function createReconciler(ports: BackendPorts, everyMs: number | null): Reconciler {
  /** What the MES said last of each ticket. It says it again after a restart. */
  const told = new Map<string, MesCount>();
  const alarmed = new Map<string, string>();
  const look = async (ticket: string, gateway: readonly LedgerUnit[] | null): Promise<Reconciliation> => {
    const found = await ports.store.transaction((tx) =>
      lookAtTicket(tx, ticket, gateway, told.get(ticket) ?? null),
    );
    await publish(ticket, found, ports);
    alarm(ticket, found, alarmed, ports);
    return found;
  };
  const round = async (): Promise<void> => {
    try {
      for (const ticket of await ports.store.transaction((tx) => tx.openTickets(TICKETS_MAX)))
        await look(ticket, null);
    } catch (error) {
      const { code, context } = asFault(error, 'UNEXPECTED');
      ports.log.write('warn', 'warning', { part: 'reconciliation', code, ...context });
    }
    if (everyMs !== null) ports.clock.after(everyMs, () => void round());
  };
  if (everyMs !== null) ports.clock.after(everyMs, () => void round());
  return {
    ask: async ({ ticket, counts, mes }) => {
      const { clock, trusted, crypto } = ports;
      const gateway =
        counts.length === 0 ? null : openCounts(ticket, counts, clock.now(), trusted, crypto).units;
      if (mes !== null) told.set(ticket, mes);
      const found = await look(ticket, gateway);
      const differences = found.differences.slice(0, NAMED_MAX).map((one) => ({ ...one }));
      return { ticket, counts: { ...found.counts }, differences };
    },
  };
}

/** @throws Fault CLOSE_OUT_REFUSED */
async function lookAtTicket(
  tx: FleetTransaction,
  ticket: string,
  gateway: readonly LedgerUnit[] | null,
  mes: MesCount | null,
): Promise<Reconciliation> {
  const row = await tx.ticket(ticket);
  if (row === null)
    throw new Fault('CLOSE_OUT_REFUSED', { ticket, why: 'no unit was ever reserved under it' });
  const units: TicketUnit[] = [];
  for (let full = true; full; ) {
    const page = await tx.ticketUnits(ticket, units.at(-1)?.operation ?? '', UNITS_PER_READ);
    units.push(...page);
    full = page.length === UNITS_PER_READ;
  }
  return reconcile({ ticket, taken: row.taken, units, lives: await livesOf(tx, ticket), gateway, mes });
}

async function livesOf(tx: FleetTransaction, ticket: string): Promise<ReadonlyMap<string, LifeState>> {
  const events = (await tx.lifeLeavesOf(ticket)).flatMap((leaf) => unitEventOf(leaf) ?? []);
  return new Map(events.flatMap((event) => (event.kind === 'lived' ? [[event.eid, event.to] as const] : [])));
}

/** While the broker is away nothing is queued: the next round publishes what is so then. */
async function publish(
  ticket: string,
  { counts, differences }: Reconciliation,
  { bus, clock, log }: BackendPorts,
): Promise<void> {
  const units = differences.slice(0, STATUS_DIFFERENCES_MAX);
  const payload = {
    ...{ at: instantOf(clock.now()), version: 1, ticket, agrees: differences.length === 0, counts },
    differences: differences.length,
    units: units.map(({ operation, eid, missing }) => ({ operation, eidEnd: eid.slice(-4), missing })),
  };
  try {
    await bus.publish(topicOf(statusReconciliation, { ticket }), encodeJson(payload), {
      qos: 1,
      retain: true,
    });
  } catch (error) {
    const { code } = asFault(error, 'BUS_UNREACHABLE');
    log.write('debug', 'warning', { part: 'reconciliation', code });
  }
}

/** Once for each difference, and again when it has become another. */
function alarm(
  ticket: string,
  { differences }: Reconciliation,
  alarmed: Map<string, string>,
  { log }: BackendPorts,
): void {
  const [first] = differences;
  const text = JSON.stringify(differences.slice(0, STATUS_DIFFERENCES_MAX));
  if (first === undefined) alarmed.delete(ticket);
  else if (alarmed.get(ticket) !== text) {
    alarmed.set(ticket, text);
    const { operation, eid, missing } = first;
    const unit = { operation, eid: eid.slice(-4), missing };
    log.write('error', 'fault', { code: 'COUNTS_DIFFER', ticket, differences: differences.length, ...unit });
  }
}
