/** Takes the stations' journals: each entry verified against the chain, appended once, acknowledged after COMMIT. */
import { Fault } from '../core/faults.ts';
import type { ControllerReport } from '../core/gate/release.ts';
import { instantOf } from '../core/instant.ts';
import { chainHash, genesisHash } from '../core/journal/entry.ts';
import { leafOf } from '../core/log/leaf.ts';
import type { eventsExchange, journalHeadExchange } from '../core/messages/exchanges.ts';
import { controllerReport } from '../core/messages/fields.ts';
import type { EventRow, FleetTransaction } from '../core/store/fleet.ts';
import type { HandlerOf } from '../exchange/responder.ts';
import { intervalsOf, notBeforeOf } from './beacons.ts';
import { lookAt, settle, verifyReport } from './controllers.ts';
import type { BackendPorts, RequestPorts } from './ports.ts';
import type { Draft, Sequencer } from './sequencer.ts';

export function eventsHandler(ports: RequestPorts, sequencer: Sequencer): HandlerOf<typeof eventsExchange> {
  return async ({ station, body }) => {
    if (body.genesis.station !== station || body.genesis.journal !== body.journal)
      throw new Fault('EVENTS_OUT_OF_ORDER', { why: 'the journal belongs to another station', station });
    const first = body.entries[0]?.sequence ?? 0;
    if (first === 0 && body.previousHash !== genesisHash(body.genesis, ports.crypto.sha256))
      throw new Fault('EVENTS_OUT_OF_ORDER', { why: 'does not follow from its genesis' });
    const receivedAt = instantOf(ports.clock.now());
    const rows = chained(station, body, receivedAt, ports);
    const reports = new Map(rows.map((row) => [row, departureIn(row.text, station, ports)]));
    const { value } = await sequencer.add(async (draft) => {
      await ports.register.demandStored(draft.tx, station);
      return append(draft, rows, { previousHash: body.previousHash, reports }, ports);
    }, false);
    return { body: { head: value } };
  };
}

export function journalHeadHandler({ store, register }: RequestPorts): HandlerOf<typeof journalHeadExchange> {
  return async ({ station, body }) => {
    const [head] = await store.transaction((tx) =>
      Promise.all([tx.eventHead(station, body.journal), register.demandStored(tx, station)]),
    );
    return { body: { head: head === null ? null : { sequence: head.sequence, hash: head.hash } } };
  };
}

/** @throws Fault EVENTS_OUT_OF_ORDER when an entry does not follow from the one before */
function chained(
  station: string,
  body: {
    journal: string;
    previousHash: string;
    entries: readonly { sequence: number; text: string; hash: string }[];
  },
  receivedAt: string,
  ports: BackendPorts,
): readonly EventRow[] {
  let hash = body.previousHash;
  let next = body.entries[0]?.sequence ?? 0;
  return body.entries.map((entry) => {
    const expected = chainHash(entry.text, entry.sequence, hash, ports.crypto.sha256);
    if (entry.sequence !== next || entry.hash !== expected)
      throw new Fault('EVENTS_OUT_OF_ORDER', { sequence: entry.sequence });
    hash = entry.hash;
    next += 1;
    return { station, journal: body.journal, ...entry, receivedAt };
  });
}

/** The report of a departure inside an entry, believed only with the controller's own code. */
function departureIn(text: string, station: string, ports: BackendPorts): ControllerReport | null {
  const entry = JSON.parse(text) as { fact?: { name?: string; report?: unknown } };
  if (entry.fact?.name !== 'released' && entry.fact?.name !== 'diverted') return null;
  const report = controllerReport.safeParse(entry.fact.report);
  if (!report.success) throw new Fault('EVENTS_OUT_OF_ORDER', { why: 'a departure without a report' });
  verifyReport(report.data, station, ports);
  return report.data;
}

/** @throws Fault EVENTS_OUT_OF_ORDER when the station's journal is not the one known here */
async function append(
  draft: Draft,
  rows: readonly EventRow[],
  {
    previousHash,
    reports,
  }: {
    readonly previousHash: string;
    readonly reports: ReadonlyMap<EventRow, ControllerReport | null>;
  },
  ports: BackendPorts,
): Promise<{ readonly sequence: number; readonly hash: string }> {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('no entries');
  const drafted = draft.events.findLast((row) => row.journal === first.journal);
  const head = drafted ?? (await draft.tx.eventHead(first.station, first.journal));
  const known = head?.sequence ?? -1;
  if (first.sequence > known + 1) throw new Fault('EVENTS_OUT_OF_ORDER', { sequence: first.sequence, known });
  if (head !== null && first.sequence === known + 1 && head.hash !== previousHash)
    throw new Fault('EVENTS_OUT_OF_ORDER', {
      sequence: first.sequence,
      why: 'does not follow from what is known',
    });
  for (const row of rows.filter((r) => r.sequence <= known)) {
    const stored = await draft.tx.event(row.station, row.journal, row.sequence);
    if (stored !== null && stored.hash !== row.hash)
      throw new Fault('EVENTS_OUT_OF_ORDER', { sequence: row.sequence, why: 'differs from what is known' });
  }
  for (const report of reports.values())
    if (report !== null) await settle(draft.tx, await lookAt(draft.tx, report));
  const fresh = rows.filter((r) => r.sequence > known);
  const intervals = intervalsOf(fresh, await notBeforeOf(draft, head), ports);
  for (const [i, row] of fresh.entries()) {
    const departure = await departureOf(draft.tx, reports.get(row) ?? null);
    draft.events.push(row);
    draft.append(
      leafOf('station-event', `event/${row.journal}/${row.sequence}`, row.receivedAt, {
        station: row.station,
        journal: row.journal,
        sequence: row.sequence,
        hash: row.hash,
        ...(intervals[i] ?? {}),
        ...(departure === null ? {} : { departure }),
      }),
    );
  }
  const { sequence, hash } = head !== null && head.sequence > last.sequence ? head : last;
  return { sequence, hash };
}

/** Which unit has left, for the history of that unit: the journal's own text is not in the log. Null for a unit of
 * which there is no operation. */
async function departureOf(tx: FleetTransaction, report: ControllerReport | null) {
  if (report === null) return null;
  const { controller, left } = report;
  const used = await tx.releaseByCounter(controller, left.counter);
  const known = used === null ? null : await tx.operationById(used.operation);
  if (used === null || known === null) return null;
  return { operation: known.operation, eid: known.eid, lane: used.lane, controller, counter: left.counter };
}
