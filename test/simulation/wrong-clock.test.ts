import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { intervalsOf } from '../../runtime/backend/beacons.ts';
import { storyOf } from '../../runtime/cli/fleet/story.ts';
import { toText } from '../../runtime/core/bytes.ts';
import { instantMs } from '../../runtime/core/instant.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import type { EventRow } from '../../runtime/core/store/fleet.ts';
import { createWorld } from '../../scripts/simulation/world.ts';

const DAY_MS = 86_400_000;

/** A line that has made a unit, and what its log says of its station's events. */
async function madeUnit() {
  const world = await createWorld({ seed: 'beacons', stations: 1, units: 1 });
  await world.run(DAY_MS);
  return world.fleet.connect().transaction(async (tx) => {
    const { size } = await tx.readHead();
    const leaves = await tx.leaves(0, size);
    const [record] = await tx.recordsFrom(0, 1);
    const said = leaves.flatMap(({ entry }) => readLeaf(entry) ?? []);
    const events = said.filter(({ kind }) => kind === 'station-event');
    const rows = await Promise.all(
      events.map(({ body }) => tx.event(String(body.station), String(body.journal), Number(body.sequence))),
    );
    return {
      world,
      events,
      rows: rows.flatMap((row) => row ?? []),
      record,
      story: await storyOf(record?.eid ?? '', tx),
    };
  });
}

describe('the time of a station’s event', () => {
  it('lies between the newest statement of the backend before it in the journal, and its arrival', async () => {
    const { events, rows, record, story } = await madeUnit();
    const named = new Map(
      rows.map((row, i) => [(JSON.parse(row.text) as { fact: { name: string } }).fact.name, events[i]]),
    );
    assert.equal(named.get('arrived')?.body.notBefore, null, 'the backend had said nothing yet');
    const { time } = JSON.parse(toText(record?.record ?? assert.fail())) as {
      time: { earliest: string; latest: string };
    };
    assert.equal(named.get('reserved')?.body.notBefore, time.earliest);
    assert.equal(named.get('confirmed')?.body.notBefore, time.earliest);
    assert.equal(named.get('released')?.body.notBefore, time.latest);
    assert.ok(events.every(({ body }) => body.stationClock === 'right'));
    assert.deepEqual(
      story.map(({ entry }) => entry.sequence),
      story.map(({ entry }) => entry.sequence).sort((a, b) => a - b),
    );
  });

  it('is the same whatever the station’s clock says, which is told to be wrong', async () => {
    const { world, events, rows } = await madeUnit();
    const ports = { trusted: world.parties.trusted, crypto: nodeCrypto };
    const at1970 = (row: EventRow): EventRow => {
      const entry = JSON.parse(row.text) as { at: number };
      return {
        ...row,
        text: JSON.stringify({ ...entry, at: entry.at - instantMs('2026-01-01T00:00:00.000Z') }),
      };
    };
    const intervals = intervalsOf(rows.map(at1970), null, ports);
    assert.deepEqual(
      intervals.map(({ notBefore }) => notBefore),
      events.map(({ body }) => body.notBefore),
    );
    const known = intervals.filter(({ notBefore }) => notBefore !== null);
    assert.ok(known.length > 3 && known.every(({ stationClock }) => stationClock === 'wrong'));
  });

  it('takes no statement that no backend signed', async () => {
    const { world, rows } = await madeUnit();
    const ports = {
      trusted: world.parties.trusted.filter(({ role }) => role !== 'backend'),
      crypto: nodeCrypto,
    };
    assert.ok(intervalsOf(rows, null, ports).every(({ notBefore }) => notBefore === null));
  });
});
