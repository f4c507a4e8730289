/** Fills a PostgreSQL with what a simulated line left in memory, through the fleet store's own verbs. */
import type { EventRow, FleetStore, FleetTransaction, HeadRow } from '../../runtime/core/store/fleet.ts';

/** More rows than a test makes. */
const ALL = 10_000;

/** @param sign makes the head that the copy gets */
export async function copyFleet(
  from: FleetStore,
  to: FleetStore,
  eids: readonly string[],
  sign: (head: HeadRow) => HeadRow,
): Promise<HeadRow> {
  const rows = await from.transaction((tx) => everything(tx, eids));
  const head = sign(rows.head);
  await to.transaction(async (tx) => {
    for (const operation of rows.operations) await tx.insertOperation(operation);
    await tx.insertLeaves(rows.leaves);
    await tx.insertRecords(rows.records);
    await tx.insertConfirmations(rows.confirmations);
    await tx.insertCustody(rows.custody);
    await tx.insertReleases(rows.releases);
    await tx.insertAppearances(rows.appearances);
    await tx.insertEvents(rows.events);
    await tx.updateHead(head);
  });
  return head;
}

async function everything(tx: FleetTransaction, eids: readonly string[]) {
  const present = <Row>(row: Row | null): readonly Row[] => (row === null ? [] : [row]);
  const operations = (await Promise.all(eids.map((eid) => tx.operationByEid(eid)))).flatMap(present);
  const ids = operations.map(({ operation }) => operation);
  const leaves = await tx.leaves(0, ALL);
  const about = operations.map(({ eid, operation }) => tx.appearancesOf(eid, operation, ALL));
  const events: EventRow[] = [];
  for (const { entry } of leaves) {
    const { kind, body } = JSON.parse(Buffer.from(entry).toString('utf8')) as {
      kind: string;
      body: { station: string; journal: string; sequence: number };
    };
    if (kind === 'station-event')
      events.push(...present(await tx.event(body.station, body.journal, body.sequence)));
  }
  return {
    operations,
    leaves,
    events,
    records: await tx.listRecords(ALL),
    confirmations: (await Promise.all(ids.map((id) => tx.confirmationsOf(id)))).flat(),
    custody: (await Promise.all(ids.map((id) => tx.custodyOf(id)))).flat(),
    releases: (await Promise.all(ids.map((id) => tx.lastRelease(id)))).flatMap(present),
    appearances: (await Promise.all(about)).flat(),
    head: await tx.readHead(),
  };
}

/** One statement on a database, past the store: what an intruder would do. */
export async function query(url: string, text: string): Promise<readonly unknown[]> {
  const { Client } = await import('pg').then((pg) => pg.default);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
