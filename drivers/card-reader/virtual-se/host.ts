/** The chips of one station and the reader they are put into, as verbs. */
import { createHash } from 'node:crypto';
import { createSimulatedEntropy } from '../../entropy/simulated.ts';
import { createVirtualSe, type VirtualSe } from './card.ts';
import { type ChipState, freshChip, type MannerChoice } from './chip.ts';
import type { ChipStore } from './chip-store.ts';
import { eidOfIndex } from './eid.ts';
import { parseTlvs, valueIn } from './tlv.ts';

export interface HostOptions {
  readonly store: ChipStore;
  /** 32 bytes. */
  readonly transportMaster: Uint8Array;
  readonly transportKeyVersion: number;
  readonly seed: string;
  readonly eidPrefix?: string;
  /** By index: how a chip treats its host, from its first seating on. All others are honest. */
  readonly manners?: Readonly<Record<number, MannerChoice>>;
}

export interface ChipHost {
  /** The chip that is seated, for the reader's connection. */
  card(): VirtualSe | null;
  seat(index: number): Promise<{ readonly eid: string }>;
  account(index: number): Promise<Account>;
  contents(index: number): Promise<Contents>;
  flush(): Promise<void>;
}

export interface Account {
  readonly eid: string;
  /** The card's own calculating time since it was last seated here. */
  readonly cardMs: number;
  readonly apdus: number;
}

/** What a chip holds, with its keys as hashes alone. */
export interface Contents {
  readonly eid: string;
  readonly lifeCycle: number;
  readonly keyVersions: readonly number[];
  readonly hasCertificate: boolean;
  /** DER of slot 9E's certificate in hexadecimal. */
  readonly certificate: string | null;
  /** SHA-256 of ENC || MAC || DEK, in the order of `keyVersions`. */
  readonly keySetHashes: readonly string[];
}

interface Seat {
  readonly index: number;
  readonly eid: string;
  readonly card: VirtualSe;
  readonly meter: Meter;
}

interface Meter {
  cardMs: number;
  apdus: number;
}

/** Accounts kept of chips that have left the reader. */
const ACCOUNTS_MAX = 1_000;
/** Object of slot 9E's certificate: 53{70 DER, 71, FE}. SP 800-73-4 part 1 appendix A. */
const CERTIFICATE_OBJECT = '5fc101';

export function createChipHost(options: HostOptions): ChipHost {
  const { store } = options;
  const accounts = new Map<number, Account>();
  let seat: Seat | null = null;

  const stateOf = async (index: number): Promise<ChipState | null> =>
    seat?.index === index ? seat.card.state : store.load(eidOfIndex(index, options.eidPrefix));

  const leave = (): void => {
    if (seat === null) return;
    seat.card.powerOff();
    const oldest = accounts.keys().next().value;
    if (accounts.size >= ACCOUNTS_MAX && oldest !== undefined) accounts.delete(oldest);
    accounts.delete(seat.index);
    accounts.set(seat.index, accountOf(seat));
    seat = null;
  };

  return {
    card: () => seat?.card ?? null,
    flush: () => store.flush(),
    seat: async (index) => {
      const eid = eidOfIndex(index, options.eidPrefix);
      await store.flush();
      const manner = options.manners?.[index];
      const fresh = { ...options, eid, index, ...(manner === undefined ? {} : { manner }) };
      const state = (await stateOf(index)) ?? freshChip(fresh);
      leave();
      const meter: Meter = { cardMs: 0, apdus: 0 };
      const card = metered(newCard(state, options.seed), meter, store);
      card.powerOn();
      seat = { index, eid, card, meter };
      store.touch(state);
      await store.flush();
      return { eid };
    },
    account: async (index) => {
      await store.flush();
      const account = seat?.index === index ? accountOf(seat) : accounts.get(index);
      if (account === undefined) throw new RangeError(`chip ${index} was not seated here`);
      return account;
    },
    contents: async (index) => {
      await store.flush();
      const state = await stateOf(index);
      if (state === null) throw new RangeError(`there is no chip ${index}`);
      return contentsOf(state);
    },
  };
}

/** Counts what the card itself takes, and has its memory stored. */
function metered(card: VirtualSe, meter: Meter, store: ChipStore): VirtualSe {
  return {
    ...card,
    transmit: (command) => {
      const start = performance.now();
      const answer = card.transmit(command);
      meter.cardMs += performance.now() - start;
      meter.apdus++;
      store.touch(card.state);
      return answer;
    },
  };
}

/** The randomness of a chip depends on what it remembers: the same chip in the same state repeats itself, and
 * no chip repeats itself after a restart once it has moved on. */
function newCard(state: ChipState, seed: string): VirtualSe {
  const memory = createHash('sha256').update(JSON.stringify(state)).digest('hex');
  return createVirtualSe({ state, entropy: createSimulatedEntropy(`${seed}/${memory}`) });
}

function accountOf(seat: Seat): Account {
  return { eid: seat.eid, ...seat.meter };
}

function contentsOf(state: ChipState): Contents {
  const object = state.objects[CERTIFICATE_OBJECT];
  const certificate = object === undefined ? undefined : valueIn(parseTlvs(Buffer.from(object, 'hex')), 0x70);
  return {
    eid: state.eid,
    lifeCycle: state.lifeCycle,
    keyVersions: state.keySets.map((set) => set.keyVersion),
    hasCertificate: certificate !== undefined,
    certificate: certificate === undefined ? null : Buffer.from(certificate).toString('hex'),
    keySetHashes: state.keySets.map(({ enc, mac, dek }) =>
      createHash('sha256').update(`${enc}${mac}${dek}`, 'hex').digest('hex'),
    ),
  };
}
