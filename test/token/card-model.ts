/**
 * A small SCP03 card for token tests, S8 and level 33 only, AES-128 or AES-256. It shares no code with the host's side: own CMAC, own
 * derivation, own framing, all over node:crypto.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export type CardKeys = readonly [enc: Buffer, mac: Buffer, dek: Buffer];

export interface CardModel {
  /** Answers one command; an unknown instruction echoes its plain data. */
  transmit(command: Uint8Array): Buffer;
  readonly sets: Map<number, CardKeys>;
  /** Plain commands as the card understood them. */
  readonly received: Buffer[];
  /** Answer every command of a session with this bare status word. */
  refuseWith: number | null;
  /** Draw challenges instead of deriving them. */
  challengeRandom: boolean;
  parameter: number;
  /** 10 bytes in the answer to INITIALIZE UPDATE, from which vendors derive. */
  diversificationData: Buffer;
  /** S-ENC, S-MAC and S-RMAC of the last session. */
  sessionKeys: readonly Buffer[];
}

const AID = Buffer.from('a000000151000000', 'hex');
const OK = Buffer.from('9000', 'hex');

export function createCardModel(sets: Map<number, CardKeys>): CardModel {
  let counter = 0;
  let pending: { keys: CardKeys; challenges: Buffer } | null = null;
  let session: { enc: Buffer; mac: Buffer; rmac: Buffer; chain: Buffer; count: number; dek: Buffer } | null =
    null;
  const card: CardModel = {
    sets,
    received: [],
    refuseWith: null,
    challengeRandom: false,
    parameter: 0x70,
    diversificationData: Buffer.alloc(10),
    sessionKeys: [],
    transmit: (bytes) => {
      const command = Buffer.from(bytes);
      if (command[1] === 0x50) return initialize(command);
      if (command[1] === 0x82) return authenticate(command);
      return session === null ? Buffer.from('6982', 'hex') : serve(command);
    },
  };

  function initialize(command: Buffer): Buffer {
    session = null;
    const keys = sets.get(command[2] ?? 0);
    if (keys === undefined) return Buffer.from('6a88', 'hex');
    counter++;
    const sequence = Buffer.of(0, counter >> 8, counter & 0xff);
    const own = kdf(keys[0], 0x02, 64, Buffer.concat([sequence, AID])).subarray(0, 8);
    const challenge = card.challengeRandom ? randomBytes(8) : own;
    const challenges = Buffer.concat([command.subarray(5, 13), challenge]);
    pending = { keys, challenges };
    const cryptogram = kdf(kdf(keys[1], 0x06, bitsOf(keys), challenges), 0x00, 64, challenges).subarray(0, 8);
    const head = Buffer.concat([card.diversificationData, Buffer.of(command[2] ?? 0, 0x03, card.parameter)]);
    const tail = (card.parameter & 0x10) === 0 ? Buffer.alloc(0) : sequence;
    return Buffer.concat([head, challenge, cryptogram, tail, OK]);
  }

  function authenticate(command: Buffer): Buffer {
    if (pending === null || command[2] !== 0x33) return Buffer.from('6985', 'hex');
    const { keys, challenges } = pending;
    pending = null;
    const bits = bitsOf(keys);
    const mac = kdf(keys[1], 0x06, bits, challenges);
    const full = cmac(mac, Buffer.concat([Buffer.alloc(16), command.subarray(0, 13)]));
    if (!full.subarray(0, 8).equals(command.subarray(13, 21))) return Buffer.from('6982', 'hex');
    const host = kdf(mac, 0x01, 64, challenges).subarray(0, 8);
    if (!host.equals(command.subarray(5, 13))) return Buffer.from('6300', 'hex');
    const enc = kdf(keys[0], 0x04, bits, challenges);
    session = { enc, mac, rmac: kdf(keys[1], 0x07, bits, challenges), chain: full, count: 0, dek: keys[2] };
    card.sessionKeys = [enc, mac, session.rmac];
    return OK;
  }

  function serve(command: Buffer): Buffer {
    if (session === null) return Buffer.from('6982', 'hex');
    const end = 5 + (command[4] ?? 0);
    const full = cmac(session.mac, Buffer.concat([session.chain, command.subarray(0, end - 8)]));
    if (!full.subarray(0, 8).equals(command.subarray(end - 8, end))) {
      session = null;
      return Buffer.from('6982', 'hex');
    }
    session.chain = full;
    session.count++;
    const body = command.subarray(5, end - 8);
    const block = Buffer.alloc(16);
    block.writeUInt32BE(session.count, 12);
    const plain = body.length === 0 ? body : unpad(aes('cbc', session.enc, body, ecb(session.enc, block)));
    card.received.push(Buffer.concat([command.subarray(0, 4), plain]));
    if (card.refuseWith !== null) return Buffer.of(card.refuseWith >> 8, card.refuseWith & 0xff);
    const answer = command[1] === 0xd8 ? putKey(plain, session.dek) : plain;
    if (answer === null) return Buffer.from('6982', 'hex');
    block[0] = 0x80;
    const cipher =
      answer.length === 0 ? answer : aes('cbc', session.enc, pad(answer), ecb(session.enc, block), false);
    const rmac = cmac(session.rmac, Buffer.concat([session.chain, cipher, OK])).subarray(0, 8);
    return Buffer.concat([cipher, rmac, OK]);
  }

  /** Stores the set and echoes version and check values; null when a check value is wrong. */
  function putKey(data: Buffer, dek: Buffer): Buffer | null {
    const keys: Buffer[] = [];
    const echo = [data.subarray(0, 1)];
    for (let at = 1; at < data.length; ) {
      const size = data[at + 1] ?? 0;
      const skip = size % 16 === 0 ? 0 : 1;
      const block = data.subarray(at + 2 + skip, at + 2 + size);
      const key = aes('cbc', dek, block, Buffer.alloc(16));
      const check = data.subarray(at + 3 + size, at + 6 + size);
      if (!ecb(key, Buffer.alloc(16, 1)).subarray(0, 3).equals(check)) return null;
      keys.push(key);
      echo.push(check);
      at += 6 + size;
    }
    sets.set(data[0] ?? 0, keys as unknown as CardKeys);
    return Buffer.concat(echo);
  }
  return card;
}

/** A card's set as the factory would derive it from a master in the clear. @param bytes of each key */
export function deriveSet(
  master: Uint8Array,
  generation: number,
  version: number,
  eid: string,
  bytes: 16 | 32 = 16,
): CardKeys {
  const block = (id: number, counter: number): Buffer => {
    const head = `4d50523153435033${hex(generation, 2)}${hex(version, 1)}${hex(id, 1)}00${hex(8 * bytes, 2)}`;
    return cmac(Buffer.from(master), Buffer.from(`${head}${hex(counter, 1)}${eid}`, 'hex'));
  };
  const key = (id: number): Buffer => Buffer.concat([block(id, 1), block(id, 2)]).subarray(0, bytes);
  return [key(1), key(2), key(3)];
}

/** First 3 bytes of AES over 16 x 01, hexadecimal. */
export function checkValuesOf(keys: CardKeys): readonly string[] {
  return keys.map((key) => ecb(key, Buffer.alloc(16, 1)).toString('hex', 0, 3));
}

function hex(value: number, bytes: number): string {
  return value.toString(16).padStart(2 * bytes, '0');
}

function bitsOf(keys: CardKeys): number {
  return keys[1].length * 8;
}

function kdf(key: Buffer, constant: number, bits: number, context: Buffer): Buffer {
  const block = (counter: number): Buffer => {
    const head = Buffer.alloc(16);
    head[11] = constant;
    head.writeUInt16BE(bits, 13);
    head[15] = counter;
    return cmac(key, Buffer.concat([head, context]));
  };
  return bits > 128 ? Buffer.concat([block(1), block(2)]).subarray(0, bits / 8) : block(1);
}

/** RFC 4493 by integers, unlike the product's. */
export function cmac(key: Buffer, message: Buffer): Buffer {
  const mask = (1n << 128n) - 1n;
  const twice = (value: bigint): bigint => ((value << 1n) & mask) ^ (value >> 127n === 1n ? 0x87n : 0n);
  const number = (block: Buffer): bigint => BigInt(`0x${block.toString('hex')}`);
  const first = twice(number(ecb(key, Buffer.alloc(16))));
  const count = Math.max(1, Math.ceil(message.length / 16));
  const tail = message.subarray(16 * (count - 1));
  const last = tail.length === 16 ? number(tail) ^ first : number(pad(tail)) ^ twice(first);
  let state = 0n;
  for (let i = 0; i < count; i++) {
    const block = i < count - 1 ? number(message.subarray(16 * i, 16 * i + 16)) : last;
    state = number(ecb(key, Buffer.from((state ^ block).toString(16).padStart(32, '0'), 'hex')));
  }
  return Buffer.from(state.toString(16).padStart(32, '0'), 'hex');
}

function pad(data: Buffer): Buffer {
  const padded = Buffer.alloc(16 * (Math.floor(data.length / 16) + 1));
  data.copy(padded);
  padded[data.length] = 0x80;
  return padded;
}

function unpad(data: Buffer): Buffer {
  return data.subarray(0, data.lastIndexOf(0x80));
}

export function ecb(key: Buffer, data: Buffer): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

function aes(mode: 'cbc', key: Buffer, data: Buffer, iv: Buffer, decrypt = true): Buffer {
  const make = decrypt ? createDecipheriv : createCipheriv;
  const cipher = make(`aes-${key.length * 8}-${mode}`, key, iv).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}
