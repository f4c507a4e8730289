/** Vectors, chips and a small SCP03 host for the tests of the virtual SE. */
import { readFileSync } from 'node:fs';
import { createVirtualSe, type VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { type ChipProfile, type ChipState, freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import {
  checkValue,
  createMac,
  Derivation,
  decryptCbc,
  derive,
  encryptBlock,
  encryptCbc,
  type Mac,
  ZERO,
} from '../../drivers/card-reader/virtual-se/cipher.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';

export interface Vector<Inputs, Expected> {
  readonly id: string;
  readonly kind: string;
  readonly inputs: Inputs;
  readonly expected: Expected;
}

const all = (
  JSON.parse(readFileSync('test/vectors/vectors.json', 'utf8')) as {
    vectors: readonly Vector<never, never>[];
  }
).vectors;

/** All vectors of one kind; the caller knows their form. */
export function vectorsOf<Inputs, Expected>(kind: string): readonly Vector<Inputs, Expected>[] {
  return all.filter((vector) => vector.kind === kind) as unknown as readonly Vector<Inputs, Expected>[];
}

export function bytes(hex: string): Buffer {
  return Buffer.from(hex.replace(/ /g, ''), 'hex');
}

export function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex');
}

/** Sends hexadecimal, receives hexadecimal. */
export function send(card: VirtualSe, command: string): string {
  return hex(card.transmit(bytes(command)));
}

export const TRANSPORT_MASTER = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
export const EID = '89049032123451234512345678901235';

export function chip(changes: Partial<ChipState> = {}, profile: Partial<ChipProfile> = {}): ChipState {
  const fresh = freshChip({
    eid: EID,
    index: 7,
    transportMaster: TRANSPORT_MASTER,
    transportKeyVersion: 0x30,
    profile,
  });
  return { ...fresh, ...changes };
}

export function cardOf(state: ChipState, seed = 'test'): VirtualSe {
  const card = createVirtualSe({ state, entropy: createSimulatedEntropy(seed) });
  card.powerOn();
  return card;
}

export interface Keys {
  readonly enc: string;
  readonly mac: string;
  readonly dek: string;
}

/** A host's end of one session. */
export interface HostSession {
  /** Protects, sends and unwraps: the plain data and status word in hexadecimal. */
  send(command: string): string;
  /** The protected form of the next command; moves the chain. `padding` replaces 80 00... */
  wrap(command: string, padding?: string): Buffer;
  readonly initializeAnswer: string;
}

export interface OpenOptions {
  readonly keyVersion?: number;
  readonly level?: number;
  readonly keys?: Keys;
  /** How an empty body is sent where the level encrypts. */
  readonly emptyAs?: 'nothing' | 'padding-block';
  /** False for a host that expects an old card. */
  readonly countsEmpty?: boolean;
}

/** Opens a session with the application that is selected. @throws Error when the card refuses */
export function openSession(card: VirtualSe, options: OpenOptions = {}): HostSession {
  const level = options.level ?? 0x33;
  const set = card.state.keySets.find((item) => item.keyVersion === options.keyVersion);
  const keys = options.keys ?? set ?? card.state.keySets[0];
  if (keys === undefined) throw new Error('no keys');
  const hostChallenge = bytes('1112131415161718');
  const keyVersion = (options.keyVersion ?? 0).toString(16).padStart(2, '0');
  const initialize = bytes(send(card, `8050${keyVersion}0008${hex(hostChallenge)}00`));
  if (initialize.length < 31) throw new Error(`INITIALIZE UPDATE: ${hex(initialize)}`);
  const context = Buffer.concat([hostChallenge, initialize.subarray(13, 21)]);
  const bits = keys.enc.length * 4;
  const staticMac = createMac(bytes(keys.mac));
  const host: Host = {
    level,
    sEnc: derive(createMac(bytes(keys.enc)), Derivation.sessionEnc, bits, context),
    cMac: createMac(derive(staticMac, Derivation.sessionMac, bits, context)),
    rMac: createMac(derive(staticMac, Derivation.sessionRmac, bits, context)),
    chaining: ZERO,
    counter: 0,
  };
  const cryptogram = derive(host.cMac, Derivation.hostCryptogram, 64, context);
  const authenticate = seal(host, Buffer.of(0x84, 0x82, level, 0), cryptogram);
  const answer = hex(card.transmit(authenticate));
  if (answer !== '9000') throw new Error(`EXTERNAL AUTHENTICATE: ${answer}`);
  const wrap = (command: string, padding?: string): Buffer => {
    const plain = bytes(command);
    const data = plain.length > 5 ? plain.subarray(5, 5 + (plain[4] ?? 0)) : Buffer.alloc(0);
    if (data.length > 0 || options.countsEmpty !== false) host.counter++;
    const text = padding === undefined ? padded(data) : Buffer.concat([data, bytes(padding)]);
    const encrypts = level & 0x02 && (data.length > 0 || options.emptyAs === 'padding-block');
    const body = encrypts ? encryptCbc(host.sEnc, block(host, 0), text) : data;
    const header = Buffer.from(plain.subarray(0, 4));
    header[0] = (header[0] ?? 0) | 0x04;
    return seal(host, header, body);
  };
  return {
    wrap,
    send: (command) => unseal(host, collect(card, wrap(command))),
    initializeAnswer: hex(initialize),
  };
}

/** PUT KEY data field: new version and three fields. `spoil` changes the last check value. */
export function putKeyData(
  keyVersion: number,
  keys: Keys,
  options: {
    readonly dek: string;
    readonly form?: 'inner-length' | 'block-only';
    readonly spoil?: boolean;
    readonly fill?: number;
  },
): string {
  const fields = [keys.enc, keys.mac, keys.dek].map((key, i) => {
    const size = key.length / 2;
    const block = encryptCbc(bytes(options.dek), ZERO, Buffer.concat([bytes(key)]));
    const value = checkValue(bytes(key), options.fill ?? 0x01);
    if (options.spoil && i === 2) value[2] = (value[2] ?? 0) ^ 1;
    const inner = options.form === 'block-only' ? block : Buffer.concat([Buffer.of(size), block]);
    return Buffer.concat([Buffer.of(0x88, inner.length), inner, Buffer.of(3), value]);
  });
  return hex(Buffer.concat([Buffer.of(keyVersion), ...fields]));
}

/** A whole case 4 command. */
export function command(header: string, data: string): string {
  return `${header}${(data.length / 2).toString(16).padStart(2, '0')}${data}00`;
}

interface Host {
  readonly level: number;
  readonly sEnc: Buffer;
  readonly cMac: Mac;
  readonly rMac: Mac;
  chaining: Buffer;
  counter: number;
}

function seal(host: Host, header: Buffer, body: Buffer): Buffer {
  const whole = Buffer.concat([header, Buffer.of(body.length + 8), body]);
  host.chaining = host.cMac(host.chaining, whole);
  return Buffer.concat([whole, host.chaining.subarray(0, 8), Buffer.of(0)]);
}

function unseal(host: Host, answer: Buffer): string {
  const statusWord = answer.subarray(-2);
  const good = statusWord[0] === 0x90 || statusWord[0] === 0x62 || statusWord[0] === 0x63;
  if (!(host.level & 0x10) || !good) return hex(answer);
  const body = answer.subarray(0, -10);
  const mac = host.rMac(host.chaining, body, statusWord).subarray(0, 8);
  if (!mac.equals(answer.subarray(-10, -2))) throw new Error('R-MAC wrong');
  if (!(host.level & 0x20) || body.length === 0) return hex(Buffer.concat([body, statusWord]));
  const text = decryptCbc(host.sEnc, block(host, 0x80), body);
  return hex(Buffer.concat([text.subarray(0, text.lastIndexOf(0x80)), statusWord]));
}

/** Follows 61xx. */
function collect(card: VirtualSe, frame: Buffer): Buffer {
  let answer = Buffer.from(card.transmit(frame));
  while (answer.at(-2) === 0x61)
    answer = Buffer.concat([
      answer.subarray(0, -2),
      card.transmit(Buffer.of(0, 0xc0, 0, 0, answer.at(-1) ?? 0)),
    ]);
  return answer;
}

function block(host: Host, mark: number): Buffer {
  const counter = Buffer.alloc(16);
  counter[0] = mark;
  counter.writeUInt32BE(host.counter, 12);
  return encryptBlock(host.sEnc, counter);
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.of(0x80), Buffer.alloc(15 - (data.length % 16))]);
}
