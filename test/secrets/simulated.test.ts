/** No key leaves its place, and no APDU station and gateway: searched for in everything that was said and kept. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { findSecrets, type Place, type Secret } from '../../scripts/laboratory/secret-scan.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { rowsOf } from '../simulation/kept.ts';
import { watchDrawnKeys } from './drawn-keys.ts';

interface Lived {
  readonly world: World;
  readonly messages: readonly { readonly topic: string; readonly payload: Uint8Array }[];
  readonly protectedApdus: readonly Secret[];
  /** What the gateway keeps of each unit. */
  readonly transcripts: readonly string[];
  readonly drawnKeys: readonly Uint8Array[];
}

async function lived(): Promise<Lived> {
  const messages: { topic: string; payload: Uint8Array }[] = [];
  const protectedApdus: Secret[] = [];
  const { crypto, scalars } = watchDrawnKeys();
  const world = await createWorld({
    seed: 'canaries',
    crypto,
    units: 3,
    stations: 1,
    tap: (topic, payload) => messages.push({ topic, payload }),
    wire: (command, answer) => {
      const secured = ((command[0] ?? 0) & 0x04) !== 0;
      if (secured && command.length > 21)
        protectedApdus.push({ name: 'a command', bytes: command.subarray(5, 21) });
      if (secured && answer.length > 26)
        protectedApdus.push({ name: 'an answer', bytes: answer.subarray(0, 16) });
    },
  });
  await world.run(86_400_000);
  const transcripts = (await rowsOf(world)).map(({ transcript }) => transcript);
  return { world, messages, protectedApdus, transcripts, drawnKeys: scalars };
}

function keysOf({ world, drawnKeys }: Lived): readonly Secret[] {
  const { parties, chips } = world;
  const chipKeys = [...chips.values()].flatMap(({ state }) => [
    ...state.keySets.flatMap(({ keyVersion, enc, mac, dek }) =>
      [enc, mac, dek].map((key) => ({
        name: `a key of version ${keyVersion}`,
        bytes: Buffer.from(key, 'hex'),
      })),
    ),
    ...Object.values(state.pairs).map((key) => ({
      name: 'a device private key',
      bytes: Buffer.from(String(key), 'hex'),
    })),
  ]);
  return [
    { name: 'the transport master', bytes: parties.transportMaster },
    { name: 'the fleet master', bytes: parties.fleetMaster },
    ...Object.entries(parties.gatewayKeys).map(([name, bytes]) => ({
      name: `the gateway's ${name} key`,
      bytes,
    })),
    ...parties.tagKeys.map((bytes) => ({ name: 'a tag key', bytes })),
    ...drawnKeys.map((bytes) => ({ name: 'a key of a dialogue', bytes })),
    ...chipKeys,
  ];
}

function placesOf({ world, messages }: Lived): readonly Place[] {
  return [
    ...messages.map(({ topic, payload }) => ({ name: topic, bytes: payload })),
    ...world.stations.flatMap((station) =>
      [...station.disk.durable].map(([key, bytes]) => ({ name: `journal ${key}`, bytes })),
    ),
    { name: 'log', bytes: Buffer.from(JSON.stringify(world.log.lines)) },
  ];
}

describe('secrets', () => {
  let past: Lived;
  before(async () => {
    past = await lived();
  });

  it('no key of chip, gateway or controller is in any message, journal entry or log line', () => {
    assert.ok(past.drawnKeys.length > 50 && keysOf(past).length >= past.drawnKeys.length + 15);
    assert.ok(placesOf(past).length > 100, 'there must be something to search');
    assert.deepEqual(findSecrets(keysOf(past), placesOf(past)), []);
  });

  it('no key is in what the gateway keeps of its dialogues', () => {
    assert.equal(past.transcripts.length, 3);
    const kept = past.transcripts.map((text) => ({ name: 'transcript', bytes: Buffer.from(text) }));
    assert.deepEqual(findSecrets(keysOf(past), kept), []);
  });

  it('no part of a protected command or answer is in any of them', () => {
    assert.ok(past.protectedApdus.length > 50);
    const every = Math.ceil(past.protectedApdus.length / 60);
    const some = past.protectedApdus.filter((_, i) => i % every === 0);
    assert.deepEqual(findSecrets(some, placesOf(past)), []);
  });

  it('finds a key that was planted, in every form and at every place', () => {
    const [key] = keysOf(past);
    assert.ok(key);
    const bytes = Buffer.from(key.bytes);
    const forms = [
      bytes.toString('latin1'),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      `a${bytes.toString('base64')}`,
      Buffer.concat([Buffer.from('x'), bytes, Buffer.from('yz')]).toString('base64url'),
      JSON.stringify([...bytes]),
    ];
    for (const form of forms) {
      const planted = Buffer.from(`{"note":"${form}"}`, 'latin1');
      assert.equal(findSecrets([key], [{ name: 'plain', bytes: planted }]).length, 1, form.slice(0, 12));
      const jws = `eyJhbGciOiJFUzI1NiJ9.${planted.toString('base64url')}.AAAA`;
      const nested = `eyJhbGciOiJFUzI1NiJ9.${Buffer.from(`{"receipt":"${jws}"}`).toString('base64url')}.AAAA`;
      assert.equal(findSecrets([key], [{ name: 'in an envelope', bytes: Buffer.from(nested) }]).length, 1);
    }
  });
});
