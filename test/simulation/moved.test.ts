/** A unit that is taken out in mid-work and put in elsewhere: one operation, a raised epoch, and the old one is over. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { toText } from '../../runtime/core/bytes.ts';
import { open, seal } from '../../runtime/core/messages/envelope.ts';
import {
  dialogueContinueExchange,
  dialogueOpenExchange,
  registerExchange,
  rejectExchange,
  reserveExchange,
} from '../../runtime/core/messages/exchanges.ts';
import { confirmation, verdict } from '../../runtime/core/messages/receipts.ts';
import type { World } from '../../scripts/simulation/world.ts';
import {
  appearancesOf,
  ask,
  carry,
  factsOf,
  hasFact,
  historyOf,
  lanesOfUnit,
  operationOf,
  pass,
  type Sent,
  stationOf,
  until,
  watchedWorld,
} from './by-hand.ts';
import { recordsOf } from './fates.ts';

const EID = eidOfIndex(1);
const two = { units: 1, stations: 2 } as const;
const VISIT = '01890000-0000-7000-8000-0000000000bb';

function lastSent(sent: readonly Sent[], topic: string): Sent {
  return sent.findLast((one) => one.topic.includes(topic)) ?? assert.fail(`nothing sent on ${topic}`);
}

/** A verdict against the unit as the gateway would sign it for an epoch. */
function verdictOf(world: World, operation: string, epoch: number, seFingerprint: string): Promise<string> {
  const key = world.parties.gatewayKeys.confirmation ?? assert.fail('no key');
  return seal(
    verdict,
    {
      ...{ operation, epoch, station: 'station-1', nest: 'a', eid: EID, seFingerprint },
      ...{ ticket: 'SIM-1', gateway: 'gateway-1', fault: { code: 'CARD_STATE_WRONG', context: {} } },
      ...{ keyVersionsTouched: [0x31], certificateSerials: [], transcriptHash: '00'.repeat(32) },
      identityProved: true,
      judgedHash: '00'.repeat(32),
      judgedAt: '2026-01-01T00:00:10.000Z',
    },
    createSoftwareSigner(key),
    nodeCrypto,
  );
}

async function assertReleasedAt(world: World, station: number): Promise<void> {
  await until(world, () => hasFact(world, station, 'released'), 'the unit leaves');
  assert.equal(lanesOfUnit(world, 1), 'good');
  assert.equal(await recordsOf(world), 1);
  assert.deepEqual(
    world.chips.get(1)?.state.keySets.map((set) => set.keyVersion),
    [0x31],
  );
}

describe('a unit that is carried to another station', () => {
  it('resumes there from wherever it was, with a raised epoch, and the log says where it came from', async () => {
    const steps = { seed: 'steps', cheap: true, ...two };
    const probe = await watchedWorld(steps);
    await probe.world.run(60_000);
    const intents = factsOf(probe.world, 1).filter((fact) => fact.name === 'intent').length;
    assert.ok(intents > 3);
    for (let at = 1; at <= intents; at++) {
      const { world } = await watchedWorld(steps);
      const count = (): number => factsOf(world, 1).filter((fact) => fact.name === 'intent').length;
      await until(world, () => count() === at, `list ${at}`);
      await carry(world, 1, 1, 2);
      await assertReleasedAt(world, 2);
      assert.ok(hasFact(world, 1, 'interrupted'));
      const row = await operationOf(world, EID);
      assert.ok(row !== null && row.epoch > 1 && row.station === 'station-2', `list ${at}`);
      const [moved, ...more] = await appearancesOf(world, EID);
      assert.deepEqual([moved?.appearance, moved?.faultCode, more], ['moved', null, []]);
      const said = JSON.parse(Buffer.from(moved?.entry ?? []).toString('utf8'));
      assert.deepEqual(
        [said.station, said.known.station, said.known.epoch],
        ['station-2', 'station-1', said.epoch - 1],
      );
    }
  });

  it('leaves nothing to the old station: gateway and backend refuse whatever it says in the old epoch', async () => {
    const { world, sent } = await watchedWorld({ seed: 'behind', ...two });
    await until(
      world,
      () => sent.some(({ topic, step }) => topic.includes('/continue') && step > 2),
      'lists',
    );
    const opening = lastSent(sent, 'station-1/gateway/open');
    const going = lastSent(sent, 'station-1/gateway/gateway-1/continue');
    const { operation, epoch } = opening;
    const binding = { operation, epoch };
    await carry(world, 1, 1, 2);
    await until(world, () => hasFact(world, 2, 'intent'), 'the other station works');

    const opened = await ask(world, 1, dialogueOpenExchange, { body: opening.body, binding });
    assert.equal(opened.refused, 'RESERVATION_STALE');
    const continued = await ask(world, 1, dialogueContinueExchange, {
      body: going.body,
      binding,
      step: going.step + 1,
    });
    assert.notEqual(continued.refused, null);
    assert.equal(continued.answer, null);
    const { identity, report } = lastSent(sent, 'station-1/backend/reserve').body;
    const about = { visit: VISIT, identity, reservation: null, report, knownTreeSize: 0 };
    const { seFingerprint } = identity as { seFingerprint: string };
    const rejected = await ask(world, 1, rejectExchange, {
      body: {
        ...about,
        verdict: await verdictOf(world, operation ?? '', epoch ?? 0, seFingerprint),
        fault: { code: 'CARD_STATE_WRONG', context: {} },
      },
    });
    assert.equal(rejected.refused, 'RESERVATION_STALE');
    await assertReleasedAt(world, 2);
  });

  it('is not registered by the old station, though that has the confirmation of its own epoch', async () => {
    const { world, sent } = await watchedWorld({ seed: 'confirmed', ...two });
    await until(world, () => hasFact(world, 1, 'confirmed'), 'confirmed');
    world.fleet.setReachable(false);
    await until(world, () => hasFact(world, 1, 'held'), 'held');
    const registering = lastSent(sent, 'station-1/backend/register');
    world.fleet.setReachable(true);
    await carry(world, 1, 1, 2);
    await until(world, () => hasFact(world, 2, 'reserved'), 'reserved elsewhere');
    const { body, operation, epoch } = registering;
    const registered = await ask(world, 1, registerExchange, { body, binding: { operation, epoch } });
    assert.equal(registered.refused, 'RESERVATION_STALE');
    await assertReleasedAt(world, 2);
  });

  it('leaves elsewhere though it had a release: the next arrival at its old gate shows that it was not used', async () => {
    const { world } = await watchedWorld({ seed: 'two gates', units: 3, stations: 2 });
    await until(world, () => hasFact(world, 1, 'registered'), 'registered');
    stationOf(world, 1).fixture.line.takeByHand();
    await until(world, () => lanesOfUnit(world, 3) === 'good', 'the other nest is empty');
    await pass(world, 1_000);
    await stationOf(world, 2).fixture.line.putByHand(1);
    await until(world, () => lanesOfUnit(world, 1) === 'good', 'the unit leaves');
    assert.equal(lanesOfUnit(world, 2), 'good');
    assert.deepEqual(await historyOf(world, EID), ['moved resumed']);
    assert.equal(await recordsOf(world), 3);
  });

  it('may come back to the first, epoch by epoch', async () => {
    const { world } = await watchedWorld({ seed: 'to and fro', ...two });
    await until(world, () => hasFact(world, 1, 'intent'), 'the first works');
    await carry(world, 1, 1, 2);
    await until(world, () => hasFact(world, 2, 'intent'), 'the second works');
    await carry(world, 1, 2, 1);
    await assertReleasedAt(world, 1);
    assert.deepEqual(await historyOf(world, EID), ['moved resumed', 'moved resumed']);
    assert.ok(((await operationOf(world, EID))?.epoch ?? 0) >= 3);
  });
});

describe('a unit in another nest of its station', () => {
  it('raises the epoch, which ends the work of the nest that has it no longer', async () => {
    const { world, sent } = await watchedWorld({ seed: 'nests', units: 1, stations: 1 });
    await until(world, () => hasFact(world, 1, 'intent'), 'the first nest works');
    const { body } = lastSent(sent, 'station-1/backend/reserve');
    const attempt = '3f1c9a52-0000-4000-8000-000000000009';
    const swapped = await ask(world, 1, reserveExchange, { body: { ...body, attempt }, nest: 'b' });
    assert.equal(swapped.refused, null);
    const row = await operationOf(world, EID);
    assert.deepEqual([row?.nest, row?.epoch], ['b', 2]);
    const again = await ask(world, 1, reserveExchange, { body: { ...body, attempt }, nest: 'b' });
    assert.equal(again.refused, null);
    assert.equal((await operationOf(world, EID))?.epoch, 2, 'the same try raises nothing');
    // Nest a still has the unit in this plant: it is refused in its epoch, and asks for the next one.
    await assertReleasedAt(world, 1);
    const refused = factsOf(world, 1).flatMap((fact) => (fact.name === 'held' ? [fact.fault.code] : []));
    assert.deepEqual(refused, ['RESERVATION_STALE']);
    const [first] = await appearancesOf(world, EID);
    assert.equal(first?.appearance, 'nest-swap');
    assert.equal((await operationOf(world, EID))?.epoch, 3);
  });
});

describe('the transit seal', () => {
  const sealOf = async (
    world: World,
  ): Promise<{ sealed: number | null; epochs: number; record: number | null }> => {
    const row = (await operationOf(world, EID)) ?? assert.fail('no operation');
    const [confirmations, record] = await world.fleet
      .connect()
      .transaction((tx) =>
        Promise.all([tx.confirmationsOf(row.operation), tx.recordByOperation(row.operation)]),
      );
    const last = open(
      confirmation,
      confirmations.at(-1)?.jws ?? '',
      world.parties.trusted,
      nodeCrypto,
    ).payload;
    const { keyInjection } = JSON.parse(toText(record?.record ?? new Uint8Array(0)));
    return {
      sealed: last.card.sequenceCounter,
      epochs: confirmations.length,
      record: keyInjection.sequenceCounter,
    };
  };
  const counterOf = (world: World) => world.chips.get(1)?.state.keySets[0]?.sequenceCounter;

  it('is the counter with which the chip leaves: in the confirmation and in the record', async () => {
    const { world } = await watchedWorld({ seed: 'seal', ...two });
    await assertReleasedAt(world, 1);
    const { sealed, epochs, record } = await sealOf(world);
    assert.deepEqual([sealed, epochs, record], [counterOf(world), 1, counterOf(world)]);
  });

  it('is in the last confirmation when the unit is taken out and put in again after its record was made', async () => {
    const { world } = await watchedWorld({ seed: 'seal', ...two });
    await until(world, () => hasFact(world, 1, 'registered'), 'registered');
    await carry(world, 1, 1, 1);
    await assertReleasedAt(world, 1);
    const { sealed, epochs, record } = await sealOf(world);
    assert.deepEqual([sealed, epochs], [counterOf(world), 2]);
    assert.ok(Number(record) < Number(sealed), 'the record is of the first epoch');
  });
});
