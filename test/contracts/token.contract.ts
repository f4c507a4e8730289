/** What every Token does, whatever stands behind it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import type { FaultCode } from '../../runtime/core/faults.ts';
import { checkValuesOf, createCardModel, deriveSet } from '../token/card-model.ts';
import { tokenAuditClaims } from './token-audit.contract.ts';
import {
  AID,
  CONTRACT_CHANNELS_MAX,
  contractMasters,
  contractSigningKeys,
  EID,
  FLEET,
  getData,
  openOn,
  refuses,
  roundTrip,
  type TokenUnderTest,
  TRANSPORT,
  tokenForEach,
  transportCard,
  withByte,
} from './token-support.ts';

export function tokenContract(name: string, open: () => Promise<TokenUnderTest>): void {
  describe(`Token contract: ${name}`, () => {
    const { start, subject } = tokenForEach(open);

    it('speaks a whole dialogue: transport channel, PUT KEY, channel under the new set', async () => {
      const token = await start();
      const card = transportCard();
      const channel = await openOn(token, card, TRANSPORT);
      await roundTrip(token, channel, card, [getData, { ...getData, data: fromHex('5c0142'), expected: 0 }]);
      for (const form of ['explicit-length', 'block-only'] as const) {
        const { command, checkValues } = await token.wrapPutKey(channel, { keys: FLEET, form });
        const [answer] = await token.unwrap(channel, [card.transmit(command)]);
        assert.equal(answer?.statusWord, 0x9000);
        assert.equal(toHex(answer.data), `31${checkValues.join('')}`);
        assert.deepEqual(checkValues, await token.checkValues(FLEET));
      }
      assert.deepEqual(card.sets.get(0x31), deriveSet(contractMasters['mdk-1'], 1, 0x31, EID));
      await token.closeChannel(channel);
      const fresh = await openOn(token, card, FLEET);
      await roundTrip(token, fresh, card, [{ cla: 0x00, ins: 0xca, p1: 0, p2: 0xe0, expected: 0 }]);
    });

    it('derives the published EID-KDF keys', async () => {
      const token = await start();
      assert.deepEqual(await token.checkValues(FLEET), ['bb9a9a', '114149', 'a58282']);
      const transport = deriveSet(contractMasters['transport-master'], 0, 0x30, EID);
      assert.deepEqual(await token.checkValues(TRANSPORT), checkValuesOf(transport));
    });

    it('protects commands ahead of their answers and judges the answers in order', async () => {
      const token = await start();
      const card = transportCard();
      const channel = await openOn(token, card, TRANSPORT);
      const commands = [0, 1, 15, 16, 100, 239].map((size) => ({
        ...getData,
        data: new Uint8Array(size).fill(size),
      }));
      await roundTrip(token, channel, card, commands);
      const wrapped = await token.wrap(channel, commands.slice(0, 2));
      const answers = wrapped.map((command) => card.transmit(command)).reverse();
      await refuses('CARD_CHANNEL_BROKEN', () => token.unwrap(channel, answers));
    });

    it('keeps the chaining bit, since each chained frame is protected by itself', async () => {
      const token = await start();
      const card = transportCard();
      const channel = await openOn(token, card, TRANSPORT);
      const [frame] = await token.wrap(channel, [{ ...getData, cla: 0x10, data: Uint8Array.of(1) }]);
      assert.equal(frame?.[0], 0x14);
    });

    it('says CARD_NOT_OURS to a wrong cryptogram and sends nothing more', async () => {
      const token = await start();
      const card = createCardModel(new Map([[0x30, deriveSet(contractMasters['mdk-1'], 0, 0x30, EID)]]));
      const { channel, initializeUpdate } = await token.openChannel(TRANSPORT);
      const answer = card.transmit(initializeUpdate);
      await refuses('CARD_NOT_OURS', () => token.authenticate(channel, answer, AID));
      await refuses('DIALOGUE_LOST', () => token.authenticate(channel, answer, AID));
    });

    it('refuses answers to INITIALIZE UPDATE whose form, protocol or key version disagree', async () => {
      const token = await start();
      const changes: readonly [FaultCode, (answer: Buffer) => Buffer][] = [
        ['CARD_ANSWER_MALFORMED', (a) => Buffer.concat([a.subarray(0, 5), a.subarray(-2)])],
        ['CARD_ANSWER_MALFORMED', (a) => Buffer.concat([a.subarray(0, -5), a.subarray(-2)])],
        ['CARD_ANSWER_MALFORMED', (a) => Buffer.concat([a.subarray(0, -2), Buffer.of(0), a.subarray(-2)])],
        ['CARD_ANSWER_MALFORMED', (a) => withByte(a, 10, 0x31)],
        ['CARD_ANSWER_MALFORMED', (a) => withByte(a, 11, 0x02)],
        ['CARD_ANSWER_MALFORMED', (a) => withByte(a, 12, 0x60)],
        ['CARD_ANSWER_MALFORMED', (a) => withByte(a, 12, 0x71)],
        ['CARD_ANSWER_MALFORMED', (a) => a.subarray(0, 1)],
        ['CARD_COMMAND_REFUSED', (a) => withByte(a, 12, 0x30)],
        ['CARD_COMMAND_REFUSED', () => Buffer.from('6a88', 'hex')],
        ['CARD_NOT_OURS', (a) => withByte(a, 22, (a[22] ?? 0) ^ 1)],
      ];
      for (const [code, change] of changes) {
        const { channel, initializeUpdate } = await token.openChannel(TRANSPORT);
        const answer = change(transportCard().transmit(initializeUpdate));
        await refuses(code, () => token.authenticate(channel, answer, AID));
      }
    });

    it('tells whether the card challenge could be recomputed from Key-ENC', async () => {
      const token = await start();
      const card = transportCard();
      const proof = async () => {
        const { channel, initializeUpdate } = await token.openChannel(TRANSPORT);
        return token.authenticate(channel, card.transmit(initializeUpdate), AID);
      };
      const derived = await proof();
      assert.deepEqual([derived.challengeRecomputed, derived.sequenceCounter], [true, 1]);
      card.challengeRandom = true;
      const drawn = await proof();
      assert.deepEqual([drawn.challengeRecomputed, drawn.sequenceCounter], [false, 2]);
      card.parameter = 0x60;
      const uncounted = await proof();
      assert.deepEqual([uncounted.challengeRecomputed, uncounted.sequenceCounter], [null, null]);
    });

    it('breaks the channel at an answer that was changed, cut or answered without R-MAC', async () => {
      const token = await start();
      const card = transportCard();
      for (const change of [
        (a: Buffer) => withByte(a, 0, (a[0] ?? 0) ^ 1),
        (a: Buffer) => withByte(a, a.length - 3, (a.at(-3) ?? 0) ^ 1),
        (a: Buffer) => withByte(withByte(a, a.length - 2, 0x62), a.length - 1, 0x82),
        (a: Buffer) => a.subarray(-2),
        (a: Buffer) => withByte(a, a.length - 2, 0x6a),
      ]) {
        const channel = await openOn(token, card, TRANSPORT);
        const [command] = await token.wrap(channel, [{ ...getData, data: Uint8Array.of(1, 2, 3) }]);
        const answer = change(card.transmit(command ?? new Uint8Array(0)));
        await refuses('CARD_CHANNEL_BROKEN', () => token.unwrap(channel, [answer]));
        await refuses('DIALOGUE_LOST', () => token.wrap(channel, [getData]));
      }
    });

    it('returns a bare error status word as it is, and the channel goes on', async () => {
      const token = await start();
      const card = transportCard();
      const channel = await openOn(token, card, TRANSPORT);
      card.refuseWith = 0x6a88;
      const [command] = await token.wrap(channel, [getData]);
      const [answer] = await token.unwrap(channel, [card.transmit(command ?? new Uint8Array(0))]);
      assert.equal(answer?.statusWord, 0x6a88);
      card.refuseWith = null;
      await roundTrip(token, channel, card, [getData]);
    });

    it('keeps channels apart, and closes the one unused for longest when there are too many', async () => {
      const token = await start();
      const cards = Array.from({ length: CONTRACT_CHANNELS_MAX + 1 }, transportCard);
      const channels: string[] = [];
      for (const card of cards) channels.push(await openOn(token, card, TRANSPORT));
      assert.equal(new Set(channels).size, channels.length);
      await refuses('DIALOGUE_LOST', () => token.wrap(channels[0] ?? '', [getData]));
      for (const [i, channel] of channels.entries())
        if (i > 0) await roundTrip(token, channel, cards[i] ?? transportCard(), [getData]);
    });

    it('forgets a closed channel, and closing again changes nothing', async () => {
      const token = await start();
      const channel = await openOn(token, transportCard(), TRANSPORT);
      await token.closeChannel(channel);
      await token.closeChannel(channel);
      await refuses('DIALOGUE_LOST', () => token.wrap(channel, [getData]));
    });

    it('says DIALOGUE_LOST for every channel of a process that died, and never reuses a name', async () => {
      const token = await start();
      const channel = await openOn(token, transportCard(), TRANSPORT);
      await subject()?.loseChannels();
      const card = transportCard();
      const fresh = await openOn(token, card, TRANSPORT);
      assert.notEqual(fresh, channel);
      await refuses('DIALOGUE_LOST', () => token.wrap(channel, [getData]));
      await roundTrip(token, fresh, card, [getData]);
    });

    it('signs with the keys of its policy and with no other', async () => {
      const token = await start();
      const message = new TextEncoder().encode('what is signed');
      for (const key of contractSigningKeys) {
        const [point, signature] = [await token.publicKey(key), await token.sign(key, message)];
        assert.ok(nodeCrypto.verifyP256(point, message, signature), key);
      }
      await refuses('CONFIG_INVALID', () => token.sign('mdk-1', message));
      await refuses('CONFIG_INVALID', () => token.publicKey('issuer-other'));
    });

    it('knows no generation that was not provisioned', async () => {
      const token = await start();
      await refuses('CONFIG_INVALID', () => token.openChannel({ ...FLEET, generation: 2 }));
      await refuses('CONFIG_INVALID', () => token.checkValues({ ...FLEET, generation: 2 }));
    });

    tokenAuditClaims(async () => ({
      token: await start(),
      card: transportCard(),
      keys: TRANSPORT,
      put: FLEET,
    }));

    it('describes itself', async () => {
      const description = await (await start()).describe();
      assert.equal(description.softwareToken, true);
      assert.ok(description.module.length > 0 && description.label.length > 0);
    });
  });
}
