/** What every token under test is made with, and the card it talks to. */
import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import type { Command } from '../../runtime/core/card/apdu.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import type { KeySet, Token } from '../../runtime/core/token.ts';
import { type CardModel, createCardModel, deriveSet } from '../token/card-model.ts';

const bytes = (length: number, first: number): Uint8Array => Uint8Array.from({ length }, (_, i) => first + i);

/** Masters, and the fixed sets that are no masters. */
export const contractMasters = {
  'transport-master': bytes(32, 0xa0),
  'transport-master-aes-256': bytes(32, 0xc0),
  'transport-master-visa2': Buffer.concat([bytes(16, 0x40), bytes(8, 0x40)]),
  'transport-master-emv-cps-1.1': Buffer.concat([bytes(16, 0x50), bytes(8, 0x50)]),
  'transport-master-kdf3': bytes(16, 0x60),
  'transport-master-kdf3-aes-256': bytes(32, 0x60),
  'transport-master-an10922': bytes(16, 0x70),
  'transport-enc': bytes(16, 0x41),
  'transport-mac': bytes(16, 0x42),
  'transport-dek': bytes(16, 0x43),
  'transport-enc-aes-256': bytes(32, 0x41),
  'transport-mac-aes-256': bytes(32, 0x42),
  'transport-dek-aes-256': bytes(32, 0x43),
  'mdk-1': bytes(32, 0),
  'mdk-1-aes-256': bytes(32, 0),
} as const;
export const contractKeyVersions = {
  'transport-master': [0x30],
  'transport-master-aes-256': [0x30],
  'transport-master-visa2': [0x30],
  'transport-master-emv-cps-1.1': [0x30],
  'transport-master-kdf3': [0x30],
  'transport-master-kdf3-aes-256': [0x30],
  'transport-master-an10922': [0x30],
  'mdk-1': [0x31, 0x3f],
  'mdk-1-aes-256': [0x31, 0x3f],
} as const;
export const contractSigningKeys = ['envelope', 'confirmation', 'issuer-line-1'] as const;
/** Channels that the token under test keeps open. */
export const CONTRACT_CHANNELS_MAX = 4;

export const EID = '89049032123451234512345678901235';
export const AID = fromHex('a000000151000000');
export const TRANSPORT = {
  origin: 'transport',
  scheme: 'eid-kdf-1',
  algorithm: 'aes-128',
  eid: EID,
  keyVersion: 0x30,
} as const satisfies KeySet;
export const FLEET = {
  origin: 'fleet',
  algorithm: 'aes-128',
  generation: 1,
  eid: EID,
  keyVersion: 0x31,
} as const satisfies KeySet;

export interface TokenUnderTest {
  readonly token: Token;
  /** Ends the process behind the token, or what stands for it, and waits until it is back. */
  loseChannels(): Promise<void>;
  close(): Promise<void>;
}

export const getData: Command = { cla: 0x80, ins: 0xca, p1: 0x00, p2: 0x66, expected: 0 };

export function transportCard(): CardModel {
  return createCardModel(new Map([[0x30, deriveSet(contractMasters['transport-master'], 0, 0x30, EID)]]));
}

/** Opens and authenticates a channel, as the card sees it too. */
export async function openOn(token: Token, card: CardModel, keys: KeySet): Promise<string> {
  const { channel, initializeUpdate } = await token.openChannel(keys);
  const proof = await token.authenticate(channel, card.transmit(initializeUpdate), AID);
  assert.equal(toHex(card.transmit(proof.externalAuthenticate)), '9000');
  return channel;
}

/** Sends commands in one list; the card understands each and echoes its data. */
export async function roundTrip(
  token: Token,
  channel: string,
  card: CardModel,
  commands: readonly Command[],
): Promise<void> {
  const before = card.received.length;
  const answers = (await token.wrap(channel, commands)).map((command) => card.transmit(command));
  const judged = await token.unwrap(channel, answers);
  const plain = commands.map(({ data }) => toHex(data ?? new Uint8Array(0)));
  assert.deepEqual(
    judged.map((answer) => [toHex(answer.data), answer.statusWord]),
    plain.map((data) => [data, 0x9000]),
  );
  assert.deepEqual(
    card.received.slice(before).map((command) => command.subarray(4).toString('hex')),
    plain,
  );
}

export function withByte(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = value;
  return changed;
}

export async function refuses(code: FaultCode, action: () => Promise<unknown>): Promise<void> {
  await assert.rejects(action, (error) => {
    assert.ok(isFault(error), String(error));
    assert.equal(error.code, code);
    return true;
  });
}

/** Opens a token for each claim that asks for one, and closes it afterwards. */
export function tokenForEach(open: () => Promise<TokenUnderTest>): {
  readonly start: () => Promise<Token>;
  readonly subject: () => TokenUnderTest | null;
} {
  let subject: TokenUnderTest | null = null;
  afterEach(async () => {
    await subject?.close();
    subject = null;
  });
  return {
    start: async () => {
      subject = await open();
      return subject.token;
    },
    subject: () => subject,
  };
}
