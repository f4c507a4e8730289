/** What a broker that records everything learns of the APDUs between gateway and chip: nothing, whatever leaks later. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromBase64, fromText, toBase64 } from '../../runtime/core/bytes.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { decrypt } from '../../runtime/core/messages/jwe.ts';
import type { AgreementKey, Crypto } from '../../runtime/core/ports.ts';
import { findSecrets, type Place, type Secret } from '../../scripts/laboratory/secret-scan.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { agreementKeyOf, watchDrawnKeys } from '../secrets/drawn-keys.ts';
import { heldWith, lanesOf } from './fates.ts';

/** An encrypted list or bundle of answers, as a broker records it. */
interface Recorded {
  readonly jwe: string;
  /** The key that it is encrypted to, as the recorded messages name it. */
  readonly to: string;
  readonly dialogue: string;
  readonly place: string;
}

interface Past {
  readonly world: World;
  readonly messages: readonly Place[];
  /** Every frame of eight bytes or more on the contacts of a chip. */
  readonly frames: readonly Secret[];
  readonly scalars: readonly Uint8Array[];
  readonly recorded: readonly Recorded[];
  /** The station's key of each dialogue, in order. */
  readonly listKeys: readonly string[];
}

const FRAME_BYTES_MIN = 8;

async function lived(): Promise<Past> {
  const messages: Place[] = [];
  const frames = new Map<string, Secret>();
  const { crypto, scalars } = watchDrawnKeys();
  const see = (name: string, bytes: Uint8Array): void => {
    if (bytes.length >= FRAME_BYTES_MIN) frames.set(toBase64(bytes), { name, bytes });
  };
  const world = await createWorld({
    seed: 'recorded',
    units: 2,
    stations: 1,
    crypto,
    tap: (topic, payload) => messages.push({ name: topic, bytes: payload }),
    wire: (command, answer) => {
      see('a command', command);
      see('an answer', answer);
    },
    // The second unit is held in the middle of its dialogue, and gets another.
    manners: { 2: { name: 'torn-after', at: 20 } },
  });
  await world.run(86_400_000);
  return { world, messages, frames: [...frames.values()], scalars, ...readRecording(messages) };
}

/** What a broker reads: the payloads of the signed messages of each dialogue. */
function readRecording(messages: readonly Place[]): Pick<Past, 'recorded' | 'listKeys'> {
  const recorded: Recorded[] = [];
  const listKeys: string[] = [];
  let answerKey = '';
  for (const { name, bytes } of messages) {
    if (!/\/gateway\//.test(name)) continue;
    const { step, body, outcome } = payloadOf(bytes);
    if (body?.listKey !== undefined) listKeys.push(body.listKey);
    if (body?.answers !== undefined)
      recorded.push({ ...body, jwe: body.answers, to: answerKey, place: `answers ${step}` });
    if (outcome?.body?.kind !== 'list') continue;
    answerKey = outcome.body.answerKey;
    const to = listKeys.at(-1) ?? '';
    recorded.push({ ...outcome.body, jwe: outcome.body.list, to, place: `list ${step + 1}` });
  }
  return { recorded, listKeys };
}

// biome-ignore lint/suspicious/noExplicitAny: each message has its own form, and a broker has no schema
function payloadOf(jws: Uint8Array): any {
  const [, payload = ''] = Buffer.from(jws).toString().split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString());
}

/** A signed message with a frame in it. */
function planted({ bytes }: Secret, encoding: 'latin1' | 'hex' | 'base64' | 'base64url'): Place {
  const text = `{"list":{"command":"${Buffer.from(bytes).toString(encoding)}"}}`;
  const payload = Buffer.from(text, 'latin1').toString('base64url');
  return { name: encoding, bytes: Buffer.from(`eyJhbGciOiJFUzI1NiJ9.${payload}.AAAA`) };
}

function opened({ jwe, dialogue, place }: Recorded, key: AgreementKey): Uint8Array | null {
  try {
    return decrypt(jwe, key, { apu: fromText(place), apv: fromText(dialogue) }, nodeCrypto);
  } catch (error) {
    assert.ok(isFault(error) && error.code === 'ENVELOPE_INVALID');
    return null;
  }
}

describe('a recording of the bus', () => {
  let past: Past;
  let keyOf: ReadonlyMap<string, AgreementKey>;
  before(async () => {
    past = await lived();
    const keys = past.scalars.map(agreementKeyOf);
    keyOf = new Map(keys.map((key) => [toBase64(key.publicKey), key]));
    assert.deepEqual(new Set(lanesOf(past.world).values()), new Set(['good']));
    assert.deepEqual(heldWith(past.world), ['CARD_OUTCOME_UNKNOWN']);
    assert.ok(past.frames.length > 60 && past.recorded.length > 30, 'there must be something to search');
  });

  it('holds no frame that a chip was sent or answered, in any encoding', () => {
    assert.deepEqual(findSecrets(past.frames, past.messages), []);
  });

  it('would show one frame in any encoding, so the search can find', () => {
    const frame = past.frames[0];
    assert.ok(frame);
    for (const encoding of ['latin1', 'hex', 'base64', 'base64url'] as const) {
      const found = findSecrets([frame], [...past.messages, planted(frame, encoding)]);
      assert.deepEqual(found, [`${frame.name} in ${encoding}`]);
    }
  });

  it('holds every protected command for who has the keys of its dialogue', () => {
    const plaintexts = past.recorded.map((message) => {
      const key = keyOf.get(message.to);
      assert.ok(key, message.place);
      return { name: message.place, bytes: opened(message, key) ?? new Uint8Array(0) };
    });
    const secured = past.frames.filter(({ name, bytes }) => name === 'a command' && (bytes[0] ?? 0) & 0x04);
    assert.ok(secured.length > 30);
    for (const frame of secured) assert.ok(findSecrets([frame], plaintexts).length > 0);
  });

  it('opens to no other key: of another dialogue, of a message, of gateway and chips, or the masters', () => {
    const { parties, chips } = past.world;
    const chipKeys = [...chips.values()].flatMap(({ state }) => Object.values(state.pairs));
    const leaked = [
      parties.transportMaster,
      parties.fleetMaster,
      ...Object.values(parties.gatewayKeys),
      ...chipKeys.map((key) => Buffer.from(String(key), 'hex')),
    ].map(agreementKeyOf);
    assert.ok(leaked.length >= 7);
    for (const message of past.recorded) {
      const own = keyOf.get(message.to);
      for (const key of [...leaked, ...keyOf.values()])
        assert.equal(opened(message, key) !== null, key === own, message.place);
    }
  });

  it('opens to no master as the key of its cipher', () => {
    const { transportMaster, fleetMaster } = past.world.parties;
    for (const { jwe } of past.recorded) {
      const [head = '', , iv = '', ciphertext = '', tag = ''] = jwe.split('.');
      const sealed = Buffer.concat([ciphertext, tag].map(fromBase64));
      for (const key of [transportMaster, fleetMaster]) {
        const under = { key, iv: fromBase64(iv), associated: fromText(head) };
        assert.equal(nodeCrypto.aesGcmDecrypt(under, sealed), null);
      }
    }
  });

  it('shows new keys of both sides in each dialogue, a resume included, and of each message', () => {
    const dialogues = new Set(past.recorded.map(({ dialogue }) => dialogue));
    assert.equal(dialogues.size, 3, 'two units, one of them resumed');
    const epks = past.recorded.map(({ jwe }) =>
      JSON.stringify(JSON.parse(Buffer.from(jwe.split('.')[0] ?? '', 'base64url').toString()).epk),
    );
    const readers = new Set(past.recorded.map(({ to }) => to));
    assert.equal(new Set(past.listKeys).size, 3);
    assert.equal(readers.size, 6, 'a key of the station and one of the gateway for each');
    assert.equal(new Set(epks).size, past.recorded.length);
    assert.equal(new Set(past.scalars.map(toBase64)).size, past.scalars.length);
  });
});

describe('a message of a dialogue that does not open', () => {
  for (const [nth, what] of [
    'the first list',
    'the first answers',
    'the second list',
    'the second answers',
  ].entries())
    it(`${what}: the unit is held, tried again with new keys, and released`, async () => {
      let count = 0;
      const aesGcmDecrypt: Crypto['aesGcmDecrypt'] = (under, sealed) =>
        count++ === nth ? null : nodeCrypto.aesGcmDecrypt(under, sealed);
      const world = await createWorld({
        seed: 'unopened',
        units: 1,
        stations: 1,
        crypto: { ...nodeCrypto, aesGcmDecrypt },
      });
      await world.run(86_400_000);
      assert.deepEqual(heldWith(world), ['ENVELOPE_INVALID']);
      assert.deepEqual([...lanesOf(world)], [[1, 'good']]);
    });

  // Keys are drawn in this order; the first is the backend's, for badges.
  const drawers = ['the backend', 'the station', 'the gateway'];
  for (const whose of drawers.slice(1))
    it(`because the key of ${whose} is on no curve: the same, and no list is left under way`, async () => {
      let drawn = 0;
      const drawAgreementKey: Crypto['drawAgreementKey'] = (entropy) => {
        const key = nodeCrypto.drawAgreementKey(entropy);
        const offCurve = key.publicKey.map((byte, i) => (i === 64 ? byte ^ 1 : byte));
        return drawers[drawn++] === whose ? { ...key, publicKey: offCurve } : key;
      };
      const world = await createWorld({
        seed: 'off the curve',
        units: 1,
        stations: 1,
        crypto: { ...nodeCrypto, drawAgreementKey },
      });
      await world.run(86_400_000);
      assert.deepEqual(heldWith(world), ['ENVELOPE_INVALID']);
      assert.deepEqual([...lanesOf(world)], [[1, 'good']]);
    });
});
