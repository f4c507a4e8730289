/** Chips with long keys, chips of other makers, and chips whose keys others know: a line, and what it says of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gatewayConfig } from '../../config/gateway.ts';
import { fromHex, toText } from '../../runtime/core/bytes.ts';
import { vendorSchemes } from '../../runtime/core/card/import-schemes.ts';
import { keyBitsOf } from '../../runtime/core/card/key-algorithm.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import { createGateway } from '../../runtime/gateway/gateway.ts';
import { gatewaySettings } from '../../scripts/simulation/settings.ts';
import { type Supply, usualSupply } from '../../scripts/simulation/supply.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { contractMasters } from '../contracts/token-support.ts';
import { vendorSet } from '../token/vendor-sets.ts';

const HOUR_MS = 3_600_000;
/** The set that GlobalPlatform's examples, and half of all development cards, have. */
const WELL_KNOWN = fromHex('404142434445464748494a4b4c4d4e4f');
const published: Partial<Supply> = {
  transport: { class: 'published', scheme: 'none' },
  masters: { 'transport-enc': WELL_KNOWN, 'transport-mac': WELL_KNOWN, 'transport-dek': WELL_KNOWN },
  transportSet: () => ({ enc: WELL_KNOWN, mac: WELL_KNOWN, dek: WELL_KNOWN }),
};

async function lived(seed: string, supply: Partial<Supply>, untilMs = HOUR_MS): Promise<World> {
  const world = await createWorld({ seed, units: 2, stations: 1, cheap: true, supply });
  await world.run(untilMs);
  return world;
}

const left = (world: World): number =>
  world.stations.flatMap((s) => s.gateLog).filter((line) => line.event === 'LEFT' && line.lane === 'good')
    .length;

/** What the records say of keys. */
async function keyMaterial(world: World) {
  const records = await world.fleet.connect().transaction((tx) => tx.listRecords(100));
  return records.map(({ record }) => JSON.parse(toText(record)).keyMaterial);
}

describe('card profiles', () => {
  it('GPCS section 11.8: never send longer keys under shorter ones', () => {
    for (const { name, algorithm, transportAlgorithm } of Object.values(cardProfiles))
      assert.ok(keyBitsOf(algorithm) <= keyBitsOf(transportAlgorithm), name);
  });
});

describe('a line of chips with AES-256 keys', () => {
  it('releases them with AES-256 keys, and the record says so', async () => {
    const world = await lived('long keys', { cardProfile: 'holdfast-virtual-aes-256' });
    assert.equal(left(world), 2);
    for (const { algorithm, transportAlgorithm, generation } of await keyMaterial(world))
      assert.deepEqual([algorithm, transportAlgorithm, generation], ['aes-256', 'aes-256', 1]);
    for (const { state } of world.chips.values())
      for (const { keyVersion, enc, mac, dek } of state.keySets)
        assert.deepEqual([keyVersion, enc.length, mac.length, dek.length], [0x31, 64, 64, 64]);
  });
});

describe('a line of chips of other makers', () => {
  for (const scheme of vendorSchemes)
    it(`opens them by ${scheme}, and the record says so`, async () => {
      const name = `transport-master-${scheme}` as const;
      const world = await lived(scheme, {
        transport: { scheme },
        masters: { [name]: contractMasters[name] },
        transportSet: (data) => {
          const [enc, mac, dek] = vendorSet(scheme, contractMasters[name], Buffer.from(data));
          return { enc, mac, dek };
        },
      });
      assert.equal(left(world), 2);
      for (const { transportScheme, transportClass } of await keyMaterial(world))
        assert.deepEqual([transportScheme, transportClass], [scheme, 'diversified']);
    });
});

describe('chips whose transport keys others know', () => {
  it('are taken in a declared laboratory, and the record says so', async () => {
    const world = await lived('published', published);
    assert.equal(left(world), 2);
    for (const { transportScheme, transportClass } of await keyMaterial(world))
      assert.deepEqual([transportScheme, transportClass], ['none', 'published']);
  });

  it('are held under a pilot ticket, untouched: no key is used, no reject is made', async () => {
    const world = await lived('pilot', { ...published, ticketProfile: 'pilot' }, 120_000);
    assert.equal(left(world), 0);
    for (const { state } of world.chips.values())
      assert.deepEqual(
        state.keySets.map(({ keyVersion, sequenceCounter }) => [keyVersion, sequenceCounter]),
        [[0x30, 0]],
      );
    assert.ok(world.log.lines.some((line) => JSON.stringify(line).includes('TRANSPORT_KEYS_KNOWN')));
    assert.equal((await keyMaterial(world)).length, 0);
  });

  for (const profile of ['pilot', 'production'] as const)
    for (const transport of [{ class: 'published' }, { class: 'shared', scheme: 'none' }] as const)
      it(`keep a ${profile} gateway from starting: ${transport.class}`, async () => {
        const config = { ...gatewaySettings({ ...usualSupply, transport }), profile };
        // Nothing of the world is there: the refusal comes before anything is asked of it.
        await assert.rejects(createGateway(config, {} as never), { code: 'TRANSPORT_KEYS_KNOWN' });
      });

  it('are never called diversified', () => {
    const { transport } = gatewayConfig.shape;
    assert.equal(transport.safeParse({ scheme: 'none' }).success, false);
    assert.equal(transport.safeParse({ scheme: 'none', class: 'shared' }).success, true);
    assert.deepEqual(transport.parse(undefined), { class: 'diversified', scheme: 'eid-kdf-1' });
  });
});
