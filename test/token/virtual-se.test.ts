/** The host's side in a token against the virtual secure element: two implementations that share no code. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createVirtualSe, type VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createGatewayToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token } from '../../drivers/token/pkcs11/token.ts';
import { createSimulatedToken } from '../../drivers/token/simulated.ts';
import { type Bytes, fromHex, toHex } from '../../runtime/core/bytes.ts';
import { type Command, encodeCommand, exchange } from '../../runtime/core/card/apdu.ts';
import {
  decodeKeyTemplate,
  deleteKeyVersion,
  getData,
  keyVersionsOf,
  select,
} from '../../runtime/core/card/global-platform.ts';
import type { KeyAlgorithm } from '../../runtime/core/card/key-algorithm.ts';
import { generateKeyPair, getObject, putObject } from '../../runtime/core/card/piv.ts';
import { modeOfParameter } from '../../runtime/core/card/scp03.ts';
import { plainBytesMax } from '../../runtime/core/card/scp03-channel.ts';
import { modeBytesOf, type Scp03Mode } from '../../runtime/core/card/scp03-mode.ts';
import type { KeySet, Token } from '../../runtime/core/token.ts';
import { contractKeyVersions, contractMasters } from '../contracts/token-support.ts';

const EID = '89049032123451234512345678901235';
const SCRATCH_VERSION = 0x3f;
/** The sets of a dialogue. */
const setsOf = (algorithm: KeyAlgorithm) =>
  ({
    transport: { origin: 'transport', scheme: 'eid-kdf-1', algorithm, eid: EID, keyVersion: 0x30 },
    fleet: { origin: 'fleet', algorithm, generation: 1, eid: EID, keyVersion: 0x31 },
    scratch: { origin: 'fleet', algorithm, generation: 1, eid: EID, keyVersion: SCRATCH_VERSION },
  }) as const;

async function onSoftHsm(use: (token: Token) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-dialogue-'));
  const place = await createGatewayToken({
    directory,
    label: 'gateway',
    masters: contractMasters,
    keyVersions: contractKeyVersions,
    signingKeys: ['envelope'],
  });
  try {
    await using token = await openPkcs11Token({ ...place, laboratory: true });
    await use(token);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function simulated(use: (token: Token) => Promise<void>): Promise<void> {
  const entropy = createSimulatedEntropy('dialogue');
  const signingKeys = { envelope: privateKeyFrom(entropy.bytes(40)) };
  await use(createSimulatedToken({ entropy, masters: contractMasters, signingKeys }));
}

function freshCard(algorithm: KeyAlgorithm, mode: Scp03Mode): VirtualSe {
  const long = algorithm === 'aes-256';
  const state = freshChip({
    eid: EID,
    index: 1,
    transportMaster: contractMasters[long ? 'transport-master-aes-256' : 'transport-master'],
    keyBytes: long ? 32 : 16,
    transportKeyVersion: 0x30,
    profile: { iParameter: mode === 's8' ? 0x70 : 0x71 },
  });
  const card = createVirtualSe({ state, entropy: createSimulatedEntropy('card') });
  card.powerOn();
  return card;
}

/** Opens a channel; the card challenge must be the one of Key-ENC. */
async function open(token: Token, card: VirtualSe, keys: KeySet, aid: string): Promise<string> {
  card.transmit(encodeCommand(select(fromHex(aid))));
  const { channel, initializeUpdate } = await token.openChannel(
    keys,
    modeOfParameter(card.state.profile.iParameter),
  );
  const proof = await token.authenticate(channel, card.transmit(initializeUpdate), fromHex(aid));
  assert.equal(proof.challengeRecomputed, true);
  assert.equal(toHex(card.transmit(proof.externalAuthenticate)), '9000');
  return channel;
}

async function send(token: Token, card: VirtualSe, channel: string, commands: readonly Command[]) {
  const answers = (await token.wrap(channel, commands)).map((command) => play(card, command));
  return token.unwrap(channel, answers);
}

/** As a station plays a command: 61xx is followed to its end. */
function play(card: VirtualSe, command: Bytes): Bytes {
  const script = exchange(command);
  let next = script.next();
  while (next.done !== true) next = script.next(card.transmit(next.value));
  return next.value.answer;
}

async function keyVersions(token: Token, card: VirtualSe, channel: string): Promise<readonly number[]> {
  const [answer] = await send(token, card, channel, [getData('E0')]);
  return keyVersionsOf(decodeKeyTemplate(answer?.data ?? new Uint8Array(0)));
}

async function put(token: Token, card: VirtualSe, channel: string, keys: KeySet): Promise<void> {
  const { command, checkValues } = await token.wrapPutKey(channel, { keys, form: 'explicit-length' });
  const [answer] = await token.unwrap(channel, [card.transmit(command)]);
  assert.equal(answer?.statusWord, 0x9000);
  assert.equal(toHex(answer.data).slice(2), checkValues.join(''));
}

const DOMAIN = 'a000000151000000';
const APPLET = 'a000000308000010000100';

for (const [name, algorithm, mode, withToken] of [
  ['SoftHSM', 'aes-128', 's8', onSoftHsm],
  ['SoftHSM', 'aes-256', 's8', onSoftHsm],
  ['SoftHSM', 'aes-128', 's16', onSoftHsm],
  ['SoftHSM', 'aes-256', 's16', onSoftHsm],
  ['simulated token', 'aes-128', 's8', simulated],
  ['simulated token', 'aes-256', 's8', simulated],
  ['simulated token', 'aes-128', 's16', simulated],
  ['simulated token', 'aes-256', 's16', simulated],
] as const)
  describe(`virtual secure element, ${algorithm} keys in ${name}, ${mode}`, () => {
    const { transport, fleet, scratch } = setsOf(algorithm);

    it('is personalised, proves all three keys and loses its transport set', () =>
      withToken(async (token) => {
        const card = freshCard(algorithm, mode);
        const first = await open(token, card, transport, DOMAIN);
        assert.deepEqual(await keyVersions(token, card, first), [0x30]);
        await put(token, card, first, fleet);
        await token.closeChannel(first);
        card.powerOn();
        const second = await open(token, card, fleet, DOMAIN);
        await put(token, card, second, scratch);
        card.powerOn();
        await open(token, card, scratch, DOMAIN);
        card.powerOn();
        const third = await open(token, card, fleet, DOMAIN);
        const wrong = { cla: 0x80, ins: 0xd8, p1: 0, p2: 0x81, expected: 0, data: negativeControl() };
        const [refused] = await send(token, card, third, [wrong]);
        assert.equal(refused?.statusWord, 0x6982);
        await send(token, card, third, [deleteKeyVersion(SCRATCH_VERSION), deleteKeyVersion(0x30)]);
        assert.deepEqual(await keyVersions(token, card, third), [0x31]);
      }));

    it('takes a key pair and chained frames in its applet under the same set', () =>
      withToken(async (token) => {
        const card = freshCard(algorithm, mode);
        const channel = await open(token, card, transport, APPLET);
        const [pair] = await send(token, card, channel, [generateKeyPair(0x9e)]);
        assert.equal(pair?.statusWord, 0x9000);
        const content = new Uint8Array(500).fill(0x5a);
        const frames = putObject('5FC101', content, plainBytesMax(modeBytesOf(mode)));
        assert.ok(frames.length > 2 && frames.some(({ cla }) => cla === 0x10));
        for (const { statusWord } of await send(token, card, channel, frames))
          assert.equal(statusWord, 0x9000);
        const [read] = await send(token, card, channel, [getObject('5FC101')]);
        assert.ok(toHex(read?.data ?? new Uint8Array(0)).endsWith(toHex(content)));
      }));
  });

/** PUT KEY data for version 7E with key blocks that fit no check value. */
function negativeControl(): Uint8Array {
  const field = `8810${'5a'.repeat(16)}03000000`;
  return fromHex(`7e${field.repeat(3)}`);
}
