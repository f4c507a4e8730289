/**
 * A GlobalPlatform card in software: an issuer security domain, and behind SCP03 an applet of the chip's profile.
 * Channel 0 and short commands only.
 *
 * @see GPCS 2.3.1; GlobalPlatform Amendment D v1.1.1
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import type { Entropy } from '../../../runtime/core/ports.ts';
import type { Application } from './application.ts';
import { type Chain, createChain } from './chaining.ts';
import { type ChipState, LifeCycle } from './chip.ts';
import { initializeUpdate } from './initiation.ts';
import type { Manner } from './manner.ts';
import { mannerOf } from './mutants/table.ts';
import { createOutlet, type Outlet } from './outlet.ts';
import { createPivApplet } from './piv-applet.ts';
import { createSe05xApplet } from './se05x-applet.ts';
import { authenticate, protect, type SecureSession, unwrap } from './secure-channel.ts';
import { createSecurityDomain } from './security-domain.ts';
import { type CardAnswer, type CardCommand, Refusal, StatusWord, success } from './wire.ts';

export interface VirtualSe {
  /** What the chip remembers; changed in place, a whole command at a time. */
  readonly state: ChipState;
  /** Gives the ATR. Whatever was selected, open or verified is forgotten. */
  powerOn(): Uint8Array;
  powerOff(): void;
  /** The answer, status word included; no byte at all while the card has no power. */
  transmit(command: Uint8Array): Uint8Array;
}

export interface VirtualSeOptions {
  readonly state: ChipState;
  readonly entropy: Entropy;
}

/** ISO/IEC 7816-4 table 4 and GPCS 2.3.1 section 11.1.4. */
const SELECT = 0xa4;
const INITIALIZE_UPDATE = 0x50;
const EXTERNAL_AUTHENTICATE = 0x82;
/** Least bytes of an AID, and so of a part of one. ISO/IEC 7816-5. */
const AID_BYTES_MIN = 5;

/** The card while it has power. */
interface Powered {
  selected: Application;
  session: SecureSession | null;
}

/** The card of one chip, in the chip's manner. @throws RangeError when the table of mutants has no such manner */
export function createVirtualSe(options: VirtualSeOptions): VirtualSe {
  const manner = mannerOf(options.state);
  return manner.contacts(createCard(options, manner), (state) => createVirtualSe({ ...options, state }));
}

function createCard(options: VirtualSeOptions, manner: Manner): VirtualSe {
  const { state } = options;
  const domain = createSecurityDomain(state, manner);
  const applications = [domain, ...appletsOf(options, manner)];
  const frames = createChain();
  const outlet: Outlet = createOutlet(state.profile);
  let powered: Powered | null = null;
  const powerOff = (): void => {
    powered = null;
    outlet.reset();
    frames.reset();
    for (const application of applications) application.reset();
  };
  return {
    state,
    powerOff,
    powerOn: () => {
      powerOff();
      manner.wakes();
      powered = { selected: domain, session: null };
      return Buffer.from(state.atr, 'hex');
    },
    transmit: (bytes) => {
      const card = powered;
      if (card === null) return new Uint8Array(0);
      return outlet.deliver(bytes, (command) =>
        answer({ ...options, manner, applications, frames }, card, command),
      );
    },
  };
}

function appletsOf({ state, entropy }: VirtualSeOptions, manner: Manner): readonly Application[] {
  if (state.profile.applet === 'none') return [];
  const create = state.profile.applet === 'piv' ? createPivApplet : createSe05xApplet;
  return [create(state, entropy, manner)];
}

interface Parts extends VirtualSeOptions {
  readonly manner: Manner;
  readonly applications: readonly Application[];
  /** Of a command that is protected whole. */
  readonly frames: Chain;
}

/** Carries out one command that is well-formed. @throws Refusal */
function answer(parts: Parts, card: Powered, command: CardCommand): CardAnswer {
  const { cla, ins } = command;
  if (cla === 0x00 && ins === SELECT) return select(parts, card, command);
  if (cla === 0x80 && ins === INITIALIZE_UPDATE) {
    card.session = null;
    const { entropy, manner } = parts;
    const begun = initializeUpdate(parts.state, command, {
      aid: card.selected.aid,
      random: (count) => entropy.bytes(count),
      overlooks: manner.overlooks,
    });
    card.session = begun.session;
    return manner.says(begun.answer, command, null);
  }
  const { session } = card;
  if (session === null || session.phase === 'initiated') return answerPlain(parts, card, command);
  const isWhole = parts.state.profile.chaining === 'protect-then-chain' && session.phase === 'open';
  const whole = isWhole ? parts.frames.collect(command, session) : command;
  if (whole === null) return success();
  const plain = unwrap(session, whole);
  return protect(session, carryOut(parts, card, plain, session));
}

/** Without an open session. @throws Refusal */
function answerPlain(parts: Parts, card: Powered, command: CardCommand): CardAnswer {
  const { session } = card;
  if (command.ins === EXTERNAL_AUTHENTICATE) {
    card.session = null; // Whatever fails from here on, the initiation starts over.
    if (session === null) throw new Refusal(StatusWord.securityNotSatisfied);
    authenticate(session, command, parts.state.profile.iParameter);
    card.session = session;
    return success();
  }
  if (command.cla & 0x04) throw new Refusal(StatusWord.securityNotSatisfied);
  return carryOut(parts, card, command, null);
}

function carryOut(
  { manner }: Parts,
  card: Powered,
  command: CardCommand,
  session: SecureSession | null,
): CardAnswer {
  const answer = refusalAsAnswer(() => {
    if (command.cla & 0x03) throw new Refusal(StatusWord.channelNotSupported);
    return card.selected.process(command, session);
  });
  return manner.says(answer, command, session);
}

/** An empty name selects the security domain, part of an AID the first that begins so. Ends the session even
 * when nothing is found. @throws Refusal 6A86, 6A82 */
function select(parts: Parts, card: Powered, command: CardCommand): CardAnswer {
  card.session = null;
  if (command.p1 !== 0x04 || command.p2 !== 0x00) throw new Refusal(StatusWord.parametersWrong);
  const found = parts.applications.find(({ aid }) => names(command.data, aid));
  if (found === undefined) throw new Refusal(StatusWord.objectAbsent);
  if (parts.state.lifeCycle === LifeCycle.locked && found !== parts.applications[0])
    throw new Refusal(StatusWord.objectAbsent);
  card.selected.reset();
  card.selected = found;
  return found.select();
}

function names(name: Bytes, aid: Bytes): boolean {
  if (name.length === 0) return true;
  return name.length >= AID_BYTES_MIN && Buffer.from(aid).subarray(0, name.length).equals(name);
}

function refusalAsAnswer(action: () => CardAnswer): CardAnswer {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { data: new Uint8Array(0), statusWord: error.statusWord };
  }
}
