/** What a virtual chip remembers without power, and how a fresh one leaves its maker. */
import { createHash } from 'node:crypto';
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { diversifiedSet } from './diversification.ts';
import { type MannerName, profileOf } from './mutants/table.ts';

/** The whole memory of one chip as JSON; all byte strings are lower-case hexadecimal. The card changes it in
 * place, and never between two commands. It holds keys: who stores it keeps it to himself. */
export interface ChipState {
  /** 32 digits, as tag 5A shows them. */
  readonly eid: string;
  /** 42 bytes. */
  readonly cplc: string;
  readonly iin: string;
  readonly cin: string;
  readonly atr: string;
  /** Key diversification data of INITIALIZE UPDATE, 10 bytes. */
  readonly kdd: string;
  readonly profile: ChipProfile;
  /** In the order of their making; the first is the default set. */
  readonly keySets: KeySet[];
  lifeCycle: number;
  /** Private scalars by slot: `9e`. */
  readonly pairs: Record<string, string>;
  /** What lies inside tag 53, by tag: `5fc101` is the certificate of slot 9E. */
  readonly objects: Record<string, string>;
  readonly pin: { readonly value: string; triesLeft: number };
  /** Absent for an honest chip. */
  readonly manner?: ChipManner;
}

/** How a chip treats its host, out of the table of mutants. */
export interface ChipManner {
  readonly name: string;
  /** The command it happens at, counted from 1 over the chip's life; 0 where the manner knows no such point. */
  readonly at: number;
  /** Commands so far, as far as the manner counts them. */
  commands: number;
}

export interface KeySet {
  keyVersion: number;
  enc: string;
  mac: string;
  dek: string;
  /** Sessions begun under this set, up to FFFFFF. */
  sequenceCounter: number;
}

/** In what cards of different makers differ. */
export interface ChipProfile {
  /** SCP03's i: 10 pseudo-random challenge, 20 R-MAC, 60 R-MAC and R-ENC, 01 the S16 mode. */
  readonly iParameter: number;
  readonly domainAid: string;
  readonly appletAid: string;
  /** Draws the card challenge although i promises a calculated one, as emulations do. */
  readonly randomChallenge: boolean;
  /** False for old cards, whose encryption counter stands still for commands without data. */
  readonly countsEmptyCommands: boolean;
  /** Fill of the check value's block: 01, or 00 for old cards. */
  readonly checkValueFill: 0x01 | 0x00;
  /** Which form of PUT KEY is taken: with a clear length inside, the block alone, or either. */
  readonly putKeyForm: 'either' | 'inner-length' | 'block-only';
  /** `direct`: up to 256 bytes come at once (T=1). `get-response`: data are fetched, Le must fit (T=0). */
  readonly answers: 'direct' | 'get-response';
  /** Most data bytes in one part of an answer; the rest is announced and fetched. 256 for most cards. */
  readonly answerPartBytes: number;
  /** Blocks of zeros that R-ENC puts behind the padding of an answer; none for most cards. */
  readonly extraPaddingBlocks: number;
  /** Key sets the card has room for. PUT KEY of one more is refused with 6A84. */
  readonly keySetsMax: number;
  /** Takes one set beside the one it came with, and answers every PUT KEY after it with 6985. */
  readonly takesOneSet: boolean;
  /** Whether GET DATA gives the card's identity inside a session; refused with 6A88 where not. */
  readonly identityInSession: boolean;
  readonly applet: 'piv' | 'se05x' | 'none';
  /** Long commands of a session: a MAC in each frame, or one at the end of the joined frames. */
  readonly chaining: 'unwrap-each-frame' | 'protect-then-chain';
}

/** GPCS 2.3.1 section 5.1.1. */
export const LifeCycle = { opReady: 0x01, initialized: 0x07, secured: 0x0f, locked: 0x7f } as const;

/** Tries before VERIFY is blocked. */
export const PIN_TRIES_MAX = 3;

export const usualProfile: ChipProfile = {
  iParameter: 0x70,
  domainAid: 'a000000151000000',
  appletAid: 'a000000308000010000100',
  randomChallenge: false,
  countsEmptyCommands: true,
  checkValueFill: 0x01,
  putKeyForm: 'either',
  answers: 'direct',
  answerPartBytes: 256,
  extraPaddingBlocks: 0,
  keySetsMax: 8,
  takesOneSet: false,
  identityInSession: true,
  applet: 'piv',
  chaining: 'unwrap-each-frame',
};

export interface FreshChipOptions {
  /** 32 decimal digits. */
  readonly eid: string;
  /** Distinguishes the chips of one maker; goes into CPLC and CIN. */
  readonly index: number;
  /** 32 bytes: the master from which the maker derives transport sets, generation 0. */
  readonly transportMaster: Uint8Array;
  readonly transportKeyVersion: number;
  readonly keyBytes?: 16 | 32;
  /** A set by another scheme, from the diversification data of the chip (10 bytes), instead of the EID-KDF's. */
  readonly transportSet?: (data: Bytes) => { readonly enc: Bytes; readonly mac: Bytes; readonly dek: Bytes };
  readonly profile?: Partial<ChipProfile>;
  readonly manner?: MannerChoice;
}

/** `at`: see `ChipManner`. */
export interface MannerChoice {
  readonly name: MannerName;
  readonly at?: number;
}

/** A chip as it arrives: OP_READY, one transport set, no key pair, no certificate. @throws RangeError */
export function freshChip(options: FreshChipOptions): ChipState {
  const { eid, index, manner, transportKeyVersion: keyVersion } = options;
  if (!/^\d{32}$/.test(eid)) throw new RangeError('an EID has 32 digits');
  if (options.transportMaster.length !== 32) throw new RangeError('the transport master has 32 bytes');
  const profile = { ...usualProfile, ...profileOf(manner?.name), ...options.profile };
  const kdd = eid.slice(12);
  const keys = suppliedSet(options, kdd);
  const serial = createHash('sha256').update(`${eid}/${index}`).digest();
  return {
    eid,
    cplc: cplc(index, serial),
    iin: '89049032',
    cin: eid.slice(8, 28),
    atr: answerToReset(profile).toString('hex'),
    kdd,
    profile,
    keySets: [{ keyVersion, ...keys, sequenceCounter: 0 }],
    lifeCycle: LifeCycle.opReady,
    pairs: {},
    objects: {},
    pin: { value: Buffer.from('123456\xff\xff', 'latin1').toString('hex'), triesLeft: PIN_TRIES_MAX },
    ...(manner === undefined ? {} : { manner: { name: manner.name, at: manner.at ?? 0, commands: 0 } }),
  };
}

function suppliedSet(options: FreshChipOptions, kdd: string): { enc: string; mac: string; dek: string } {
  const { eid, transportSet, transportKeyVersion: keyVersion, keyBytes = 16 } = options;
  if (transportSet === undefined)
    return diversifiedSet({ master: options.transportMaster, generation: 0, keyVersion, eid, keyBytes });
  const { enc, mac, dek } = transportSet(Buffer.from(kdd, 'hex'));
  const hex = (key: Bytes): string => Buffer.from(key).toString('hex');
  return { enc: hex(enc), mac: hex(mac), dek: hex(dek) };
}

/** Card production life cycle data: the maker's names are made up, serial and batch are this chip's. */
function cplc(index: number, serial: Bytes): string {
  const bytes = Buffer.alloc(42);
  bytes.write('48464456000101234567', 'hex'); // Fabricator, type, operating system, its date and level.
  bytes.writeUInt16BE(0x5001, 10);
  bytes.writeUInt32BE(index % 2 ** 32, 12);
  bytes.set(serial.subarray(0, 2), 16);
  bytes.set(serial.subarray(2, 10), 18);
  return bytes.toString('hex');
}

/** ISO/IEC 7816-3 section 8.2: T=1 with a check byte, or T=0 without. */
export function answerToReset(profile: ChipProfile): Buffer {
  const historical = Buffer.from('HOLDFAST', 'latin1');
  const blockwise = profile.answers === 'direct';
  const body = Buffer.from([0x80 | historical.length, blockwise ? 0x01 : 0x00, ...historical]);
  const check = body.reduce((sum, byte) => sum ^ byte, 0);
  return Buffer.from([0x3b, ...body, ...(blockwise ? [check] : [])]);
}
