/** What every Token does with the sets that chips arrive with, with either length of keys, and with scratch sets. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import { vendorSchemes } from '../../runtime/core/card/import-schemes.ts';
import { keyAlgorithms } from '../../runtime/core/card/key-algorithm.ts';
import type { KeySet, PutKeyCommand, ScratchSet, Token } from '../../runtime/core/token.ts';
import {
  type CardKeys,
  type CardModel,
  checkValuesOf,
  createCardModel,
  deriveSet,
} from '../token/card-model.ts';
import { vendorSet } from '../token/vendor-sets.ts';
import {
  AID,
  contractMasters,
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
} from './token-support.ts';

const DATA = Buffer.from('00010203040506070809', 'hex');
const FORM = 'explicit-length';
const SCRATCH_VERSION = 0x3f;
const FLEET_256: KeySet = { ...FLEET, algorithm: 'aes-256' };
const TRANSPORT_256 = { ...TRANSPORT, algorithm: 'aes-256' } as const satisfies KeySet;

export function tokenKeysContract(name: string, open: () => Promise<TokenUnderTest>): void {
  describe(`Token contract, key sets: ${name}`, () => {
    const { start } = tokenForEach(open);

    it('derives the published EID-KDF keys of two blocks', async () => {
      const token = await start();
      assert.deepEqual(await token.checkValues(FLEET_256), ['70f057', 'ff4386', 'af68ca']);
      const transport = deriveSet(contractMasters['transport-master-aes-256'], 0, 0x30, EID, 32);
      assert.deepEqual(await token.checkValues(TRANSPORT_256), checkValuesOf(transport));
    });

    it('speaks a whole dialogue with AES-256 keys: transport channel, PUT KEY, channel under the new set', async () => {
      const token = await start();
      const card = cardWith(deriveSet(contractMasters['transport-master-aes-256'], 0, 0x30, EID, 32));
      const channel = await openOn(token, card, TRANSPORT_256);
      for (const form of ['explicit-length', 'block-only'] as const)
        await put(token, card, channel, { keys: FLEET_256, form });
      assert.deepEqual(card.sets.get(0x31), deriveSet(contractMasters['mdk-1-aes-256'], 1, 0x31, EID, 32));
      await token.closeChannel(channel);
      const fresh = await openOn(token, card, FLEET_256);
      await roundTrip(token, fresh, card, [getData, { ...getData, data: new Uint8Array(239).fill(7) }]);
    });

    for (const scheme of vendorSchemes)
      it(`opens a chip of a vendor: ${scheme}`, async () => {
        const token = await start();
        const keys = { ...TRANSPORT, scheme } as const;
        const master = contractMasters[`transport-master-${scheme}`];
        const card = cardWith(vendorSet(scheme, master, DATA));
        card.diversificationData = DATA;
        const channel = await openOn(token, card, keys);
        await roundTrip(token, channel, card, [{ ...getData, data: fromHex('5c0142') }]);
        await put(token, card, channel, { keys: FLEET, form: FORM });
        assert.deepEqual(card.sets.get(0x31), deriveSet(contractMasters['mdk-1'], 1, 0x31, EID));
        await refuses('CONFIG_INVALID', () => token.checkValues(keys));
      });

    it('opens a chip of a vendor with AES-256 keys by KDF3, and knows no other scheme for them', async () => {
      const token = await start();
      const keys = { ...TRANSPORT_256, scheme: 'kdf3' } as const;
      const card = cardWith(vendorSet('kdf3', contractMasters['transport-master-kdf3-aes-256'], DATA, 32));
      card.diversificationData = DATA;
      await roundTrip(token, await openOn(token, card, keys), card, [getData]);
      for (const scheme of ['visa2', 'emv-cps-1.1', 'an10922'] as const)
        await refuses('CONFIG_INVALID', () => token.openChannel({ ...keys, scheme }));
    });

    it('says CARD_NOT_OURS to a chip whose diversification data are another’s', async () => {
      const token = await start();
      const keys = { ...TRANSPORT, scheme: 'kdf3' } as const;
      const card = cardWith(vendorSet('kdf3', contractMasters['transport-master-kdf3'], DATA));
      card.diversificationData = Buffer.alloc(10, 0xff);
      const { channel, initializeUpdate } = await token.openChannel(keys);
      const answer = card.transmit(initializeUpdate);
      await refuses('CARD_NOT_OURS', () => token.authenticate(channel, answer, AID));
    });

    for (const algorithm of keyAlgorithms)
      it(`opens chips that share one fixed set of ${algorithm}, one after the other`, async () => {
        const token = await start();
        const keys = { ...TRANSPORT, algorithm, scheme: 'none' } as const;
        const end = algorithm === 'aes-128' ? '' : '-aes-256';
        const set = (['transport-enc', 'transport-mac', 'transport-dek'] as const).map((label) =>
          Buffer.from(contractMasters[`${label}${end}`]),
        ) as unknown as CardKeys;
        for (let chip = 0; chip < 2; chip++) {
          const card = cardWith(set);
          const channel = await openOn(token, card, keys);
          await put(token, card, channel, { keys: { ...FLEET, algorithm }, form: FORM });
          await token.closeChannel(channel);
        }
        await refuses('CONFIG_INVALID', () => token.checkValues(keys));
      });

    for (const algorithm of keyAlgorithms)
      it(`puts a scratch set of ${algorithm} on a chip, which then proves it`, async () => {
        const token = await start();
        const card = transportCard();
        const { keys, scratch } = await drawn(token, algorithm);
        await put(token, card, await openOn(token, card, TRANSPORT), { keys, form: FORM });
        const proof = await token.authenticate(scratch.channel, card.transmit(scratch.initializeUpdate), AID);
        assert.equal(proof.challengeRecomputed, true);
        assert.equal(toHex(card.transmit(proof.externalAuthenticate)), '9000');
        await roundTrip(token, scratch.channel, card, [getData]);
      });

    it('wraps a scratch set only before its channel is authenticated', async () => {
      const token = await start();
      const card = transportCard();
      const { keys, scratch } = await drawn(token, 'aes-128');
      await put(token, card, await openOn(token, card, TRANSPORT), { keys, form: FORM });
      await token.authenticate(scratch.channel, card.transmit(scratch.initializeUpdate), AID);
      const again = await openOn(token, transportCard(), TRANSPORT);
      await assert.rejects(() => token.wrap(again, [{ keys, form: FORM }]));
    });

    it('wraps no keys of a channel that is no scratch channel, or of one that is gone', async () => {
      const token = await start();
      const card = transportCard();
      const other = await openOn(token, transportCard(), TRANSPORT);
      const keys: ScratchSet = { origin: 'scratch', channel: other, keyVersion: SCRATCH_VERSION };
      const channel = await openOn(token, card, TRANSPORT);
      await assert.rejects(() => token.wrap(channel, [{ keys, form: FORM }]));
      const { keys: lost, scratch } = await drawn(token, 'aes-128');
      await token.closeChannel(scratch.channel);
      const fresh = await openOn(token, card, TRANSPORT);
      await refuses('DIALOGUE_LOST', () => token.wrap(fresh, [{ keys: lost, form: FORM }]));
    });

    it('spoils exactly one check value, and any of the three', async () => {
      const token = await start();
      const card = transportCard();
      const channel = await openOn(token, card, TRANSPORT);
      const { keys } = await drawn(token, 'aes-128');
      const right = await received(token, card, channel, { keys, form: FORM });
      const spoiltAt = new Set<number>();
      for (let i = 0; i < 48; i++) {
        const wrong = await received(token, card, channel, { keys, form: FORM, spoilt: true });
        assert.deepEqual(wrong.wrapped, right.wrapped);
        const differing = wrong.checkValues.flatMap((value, at) =>
          value === right.checkValues[at] ? [] : [at],
        );
        assert.equal(differing.length, 1);
        spoiltAt.add(differing[0] ?? -1);
      }
      assert.deepEqual([...spoiltAt].sort(), [0, 1, 2]);
    });

    it('adds a set by P1 00, and replaces one by its version in P1', async () => {
      const token = await start();
      const card = transportCard();
      const channel = await openOn(token, card, TRANSPORT);
      const adds = await received(token, card, channel, { keys: FLEET, form: FORM });
      const replaces = await received(token, card, channel, { keys: FLEET, form: FORM, replaces: true });
      assert.deepEqual([adds.header, replaces.header], ['84d80081', '84d83181']);
      assert.deepEqual([adds.wrapped, adds.checkValues], [replaces.wrapped, replaces.checkValues]);
    });
  });
}

function cardWith(set: CardKeys): CardModel {
  return createCardModel(new Map([[0x30, set]]));
}

async function drawn(token: Token, algorithm: 'aes-128' | 'aes-256') {
  const scratch = await token.openScratchChannel(SCRATCH_VERSION, algorithm);
  const keys: ScratchSet = { origin: 'scratch', channel: scratch.channel, keyVersion: SCRATCH_VERSION };
  return { keys, scratch };
}

/** The card takes the set and echoes its check values. */
async function put(token: Token, card: CardModel, channel: string, put: PutKeyCommand): Promise<void> {
  const { command, checkValues } = await token.wrapPutKey(channel, put);
  const [answer] = await token.unwrap(channel, [card.transmit(command)]);
  assert.equal(answer?.statusWord, 0x9000);
  assert.equal(toHex(answer.data).slice(2), checkValues.join(''));
}

/** PUT KEY in form A with AES-128 keys, as the card understood it. */
async function received(token: Token, card: CardModel, channel: string, put: PutKeyCommand) {
  const [command = new Uint8Array(0)] = await token.wrap(channel, [put]);
  await token.unwrap(channel, [card.transmit(command)]);
  const plain = card.received.at(-1)?.toString('hex') ?? '';
  const fields = [...plain.slice(10).matchAll(/881110(.{32})03(.{6})/g)];
  assert.equal(fields.length, 3, plain);
  return {
    header: plain.slice(0, 8),
    wrapped: fields.map(([, wrapped]) => wrapped),
    checkValues: fields.map(([, , checkValue]) => checkValue),
  };
}
