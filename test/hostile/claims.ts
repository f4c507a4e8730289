/** What holds on a line whose broker is hostile: asked at every movement of a gate, and when all has come to rest. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import type { GateLogLine } from '../../drivers/jig/controller/fixture.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import { factOf } from '../../runtime/core/operation/receipt-judge.ts';
import type { SimulatedStation } from '../../scripts/simulation/station.ts';
import type { World } from '../../scripts/simulation/world.ts';

/** Timers and messages that a plant at rest may have before it. */
const PENDING_MAX = 200;
/** Entries that one unit may cost a journal, whatever the broker does. */
const ENTRIES_MAX = 300;

/** Judges each opening when it happens, by what the station has on its disk and the fleet in its store. */
export function watchGates(world: World): readonly string[] {
  const problems: string[] = [];
  for (const station of world.stations)
    station.fixture.onWitness((line) => {
      if (line.event !== 'OPENED') return;
      if (line.lane !== 'good') problems.push(`unit ${line.unit} was rejected`);
      for (const problem of receiptProblems(world, station, line)) problems.push(problem);
    });
  return problems;
}

/** The receipts of the attempt that is released, each read as it was signed, name this unit and this station. */
function receiptProblems(world: World, station: SimulatedStation, { unit }: GateLogLine): readonly string[] {
  const facts: readonly Fact[] = station.program.nests.flatMap((nest) => nest.view.facts);
  const attempt = facts.slice(facts.findLastIndex(({ name }) => name === 'arrived'));
  const eid = eidOfIndex(unit ?? 0);
  const operation = world.fleet.tables.operations.find('operation_eid', eid)?.operation ?? 'none';
  return (['reserved', 'confirmed', 'registered'] as const).flatMap((name) => {
    const fact = factOf(attempt, name);
    if (fact === undefined) return [`unit ${unit} is let go without ${name}`];
    const said = payloadOf(fact.receipt);
    const fits = said.eid === eid && said.station === station.name && said.operation === operation;
    return fits ? [] : [`unit ${unit} is let go on a receipt of ${said.operation} at ${said.station}`];
  });
}

function payloadOf(jws: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

/** `calm`: the same units on a line with an honest broker; their keys are a function of their names. */
export async function assertOwn(world: World, calm: World, units: number): Promise<void> {
  const { fleet, ledger } = world;
  const records = await fleet.connect().transaction((tx) => tx.listRecords(100));
  assert.equal(records.length, units, 'one record for each unit');
  for (let unit = 1; unit <= units; unit++) {
    const chip = world.chips.get(unit)?.state ?? assert.fail(`no chip ${unit}`);
    const keys = (of: World) =>
      of.chips.get(unit)?.state.keySets.map(({ keyVersion, enc, mac, dek }) => [keyVersion, enc, mac, dek]);
    assert.deepEqual(keys(world), keys(calm), `unit ${unit} has its own keys and no others`);
    const eid = eidOfIndex(unit);
    const certificates = await ledger.connect().certificatesOf(eid);
    const held = chip.objects['5fc101'] ?? '';
    const own = certificates.find(({ certificate }) => held.includes(hex(certificate ?? new Uint8Array(0))));
    if (own?.certificate == null) assert.fail(`unit ${unit} holds no certificate that was made for it`);
    assert.ok(
      new X509Certificate(own.certificate).subject.includes(eid),
      `the certificate of unit ${unit} names it`,
    );
    const record = records.find((row) => row.eid === eid);
    assert.equal(record?.certificateSerial, own.serial, `the record of unit ${unit} names its certificate`);
  }
}

/** Every unit has left once by the good lane; what the stations wrote is known above; nothing has grown. */
export function assertCameToRest(world: World, units: number): void {
  const left = world.stations.flatMap(({ gateLog }) => gateLog.filter(({ event }) => event === 'LEFT'));
  assert.deepEqual(
    left.map(({ unit, lane }) => `${unit} ${lane}`).sort(),
    Array.from({ length: units }, (_, i) => `${i + 1} good`).sort(),
  );
  for (const { name, disk } of world.stations) {
    const entries = [...disk.durable.keys()].filter((key) => key.startsWith('j!')).length;
    const known = world.fleet.tables.events.group(`${name}\u0000${disk.genesis.journal}`).length;
    assert.equal(known, entries, `what ${name} wrote is known above, all of it`);
    assert.ok(entries <= ENTRIES_MAX * units, `${name} has written ${entries} entries`);
  }
  const pending = world.clock.pending();
  assert.ok(pending <= PENDING_MAX, `${pending} timers are left`);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
