/**
 * Card profiles: what differs between cards is data. A ticket names its profile.
 */
import { type Bytes, fromHex } from '../bytes.ts';
import type { KeyAlgorithm } from './key-algorithm.ts';
import type { KeyPairProfile } from './key-pair.ts';
import { modeOfParameter } from './scp03.ts';
import type { Scp03Mode } from './scp03-mode.ts';

/** Strongest first: a set that nobody keeps opened a session; right check values told from wrong ones, often; nothing. */
export const dekProofs = ['scratch-set', 'statistical', 'not-provable'] as const;
export type DekProof = (typeof dekProofs)[number];

export interface CardProfile {
  readonly name: string;
  /** AID of the issuer security domain. */
  readonly securityDomain: Bytes;
  /** Objects whose value makes the SE fingerprint, in this order; those absent count as empty. */
  readonly fingerprintObjects: readonly string[];
  /** Object with the EID, inside the security domain. */
  readonly eidObject: string;
  readonly transportKeyVersion: number;
  /** Of the keys that the chip arrives with: PUT KEY is no stronger than these. GPCS 2.3.1 section 11.8. */
  readonly transportAlgorithm: KeyAlgorithm;
  /** Of the fleet's set and of scratch sets. */
  readonly algorithm: KeyAlgorithm;
  /** What i the chip may show, all of one mode: another is a downgrade. Amendment D table 5-1. */
  readonly scp03Parameters: readonly number[];
  /** Version for throw-away keys; a resume deletes it first. */
  readonly scratchKeyVersion: number;
  /** GPCS 2.3.1 section 11.8.2.3.3: form A or form B. */
  readonly putKeyForm: 'explicit-length' | 'block-only';
  /** How the unit's key pair is made and its certificate stored. The applet's security domain is the issuer's. */
  readonly keyPair: KeyPairProfile;
  /** Whether EID and fingerprint objects can be read inside the secure channel; else the clear read is compared. */
  readonly identity: 'under-mac' | 'unauthenticated';
  /** How Key-DEK is proved: what is tried, and the least that a confirmation must say. */
  readonly proof: { readonly tried: DekProof; readonly promised: DekProof };
  /** Most plain data bytes of a protected command: 255 less MAC and padding, in either mode. Amendment D section 6.2. */
  readonly protectedBytesMax: number;
  readonly deadlines: {
    readonly plainMs: number;
    readonly storeMs: number;
    readonly generateMs: number;
  };
}

const virtual = {
  name: 'holdfast-virtual',
  securityDomain: fromHex('a000000151000000'),
  fingerprintObjects: ['9F7F', '42', '45'],
  eidObject: '5A',
  transportKeyVersion: 0x30,
  transportAlgorithm: 'aes-128',
  algorithm: 'aes-128',
  scp03Parameters: [0x60, 0x70],
  scratchKeyVersion: 0x3f,
  putKeyForm: 'explicit-length',
  keyPair: {
    kind: 'piv',
    applet: fromHex('a000000308000010000100'),
    slot: 0x9e,
    certificateObject: '5FC101',
    chaining: 'unwrap-each-frame',
  },
  identity: 'under-mac',
  proof: { tried: 'scratch-set', promised: 'statistical' },
  protectedBytesMax: 223,
  deadlines: { plainMs: 5_000, storeMs: 15_000, generateMs: 60_000 },
} as const satisfies CardProfile;

export const cardProfiles = {
  'holdfast-virtual': virtual,
  'holdfast-virtual-aes-256': {
    ...virtual,
    name: 'holdfast-virtual-aes-256',
    transportAlgorithm: 'aes-256',
    algorithm: 'aes-256',
  },
  'holdfast-virtual-s16': {
    ...virtual,
    name: 'holdfast-virtual-s16',
    scp03Parameters: [0x61, 0x71],
    proof: { tried: 'scratch-set', promised: 'scratch-set' },
  },
  'holdfast-virtual-block-only': {
    ...virtual,
    name: 'holdfast-virtual-block-only',
    putKeyForm: 'block-only',
  },
  'holdfast-virtual-chained': {
    ...virtual,
    name: 'holdfast-virtual-chained',
    keyPair: { ...virtual.keyPair, chaining: 'protect-then-chain' },
  },
  'holdfast-virtual-se05x': {
    ...virtual,
    name: 'holdfast-virtual-se05x',
    transportKeyVersion: 0x0b,
    scp03Parameters: [0x60],
    keyPair: {
      kind: 'se05x',
      applet: fromHex('a0000003965453000000010300000000'),
      keyObject: 0x20000001,
      certificateObject: 0x20000002,
    },
  },
  'holdfast-virtual-keys-only': {
    ...virtual,
    name: 'holdfast-virtual-keys-only',
    keyPair: { kind: 'none', reason: 'chips of this card profile have no applet for a key pair' },
  },
  'holdfast-virtual-clear-identity': {
    ...virtual,
    name: 'holdfast-virtual-clear-identity',
    identity: 'unauthenticated',
  },
  'holdfast-virtual-two-sets': {
    ...virtual,
    name: 'holdfast-virtual-two-sets',
    proof: { tried: 'statistical', promised: 'statistical' },
  },
  'holdfast-virtual-keys-once': {
    ...virtual,
    name: 'holdfast-virtual-keys-once',
    proof: { tried: 'not-provable', promised: 'not-provable' },
  },
} as const satisfies Record<string, CardProfile>;

export type CardProfileName = keyof typeof cardProfiles;

/** S8 or S16, as its i parameters say. */
export function modeIn({ scp03Parameters: [parameter = 0] }: CardProfile): Scp03Mode {
  return modeOfParameter(parameter);
}

export function cardProfile(name: string): CardProfile | null {
  return Object.hasOwn(cardProfiles, name) ? cardProfiles[name as CardProfileName] : null;
}
