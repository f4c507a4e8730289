/** A line whose gates are plain Firmata pins: it works where both sides have said so, and everything says it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { checkGate, verifyReport } from '../../runtime/backend/controllers.ts';
import type { BackendPorts, ControllerKey } from '../../runtime/backend/ports.ts';
import { fromBase64, toText } from '../../runtime/core/bytes.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { GateKind } from '../../runtime/core/gate/release.ts';
import { signReport } from '../../runtime/core/gate/tag.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { open } from '../../runtime/core/messages/envelope.ts';
import { registration } from '../../runtime/core/messages/receipts.ts';
import { factOf } from '../../runtime/core/operation/receipt-judge.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { report, ticket } from '../core/samples.ts';

const DAY_MS = 86_400_000;
const left = (world: World): number =>
  world.stations.flatMap((s) => s.gateLog).filter(({ event }) => event === 'LEFT').length;

async function lived(
  stations: GateKind,
  backend: GateKind,
  untilMs: number,
  tap: (topic: string, payload: Uint8Array) => void = () => undefined,
): Promise<World> {
  const world = await createWorld({
    seed: 'plain',
    units: 2,
    stations: 1,
    gates: { stations, backend },
    tap,
  });
  await world.run(untilMs);
  return world;
}

describe('a line with plain Firmata gates', () => {
  it('releases its units, and record, receipt, log, journal and status say what stood at the gate', async () => {
    const status: string[] = [];
    const world = await lived('plain-firmata', 'plain-firmata', DAY_MS, (topic, payload) => {
      if (topic.endsWith('/Status/Versions')) status.push(JSON.parse(toText(payload)).gate);
    });
    assert.equal(left(world), 2);
    const records = await world.fleet.connect().transaction((tx) => tx.listRecords(100));
    assert.deepEqual(
      records.map(({ record }) => JSON.parse(toText(record)).gate),
      ['plain-firmata', 'plain-firmata'],
    );
    const facts = world.stations[0]?.program.nests[0]?.view.facts ?? [];
    const { payload } = open(
      registration,
      factOf(facts, 'registered')?.receipt ?? '',
      world.parties.trusted,
      nodeCrypto,
    );
    assert.equal(payload.release.tag, null);
    assert.equal(readLeaf(fromBase64(payload.leaf))?.body.gate, 'plain-firmata');
    assert.equal(factOf(facts, 'released')?.report.mac, null);
    assert.ok(status.length > 0 && status.every((gate) => gate === 'plain-firmata (bench only)'));
    const warned = world.log.lines.filter(
      ({ level, fields }) => level === 'warn' && fields.gate === 'plain-firmata (bench only)',
    );
    assert.equal(warned.length, 2, 'station and backend warn at their start');
  });

  it('releases nothing when the station alone is configured for them', async () => {
    assert.equal(left(await lived('plain-firmata', 'controller', 60_000)), 0);
  });

  it('releases nothing when the backend alone is configured for them', async () => {
    assert.equal(left(await lived('controller', 'plain-firmata', 60_000)), 0);
  });
});

describe('a backend', () => {
  const key = new Uint8Array(16);
  const keyed: ControllerKey = { name: 'gate-1', station: 'station-1', key };
  const plain: ControllerKey = { ...keyed, key: null };
  const portsWith = (controller: ControllerKey): BackendPorts =>
    ({ controllers: [controller], crypto: nodeCrypto }) as unknown as BackendPorts;
  const unsigned = { ...report, controller: 'gate-1', mac: null };
  const signed = signReport(unsigned, key, nodeCrypto);

  it('believes a report without a code of a plain gate alone, and of that one no other', () => {
    assert.equal(verifyReport(signed, 'station-1', portsWith(keyed)), keyed);
    assert.equal(verifyReport(unsigned, 'station-1', portsWith(plain)), plain);
    for (const [said, controller] of [
      [unsigned, keyed],
      [signed, plain],
    ] as const)
      assert.throws(
        () => verifyReport(said, 'station-1', portsWith(controller)),
        (error) => isFault(error) && error.code === 'REPORT_INVALID',
      );
  });

  it('lets nothing but laboratory tickets pass a plain gate', () => {
    checkGate(plain, { ...ticket, profile: 'laboratory' });
    checkGate(keyed, { ...ticket, profile: 'production' });
    for (const profile of ['pilot', 'production'] as const)
      assert.throws(
        () => checkGate(plain, { ...ticket, profile }),
        (error) => isFault(error) && error.code === 'TICKET_INVALID',
      );
  });
});
