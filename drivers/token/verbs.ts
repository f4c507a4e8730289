/**
 * The verbs of the Token port over a vault, synchronously: the table of open channels, their framing state, and
 * the rule that a channel which failed in any way is gone.
 */
import { createHash } from 'node:crypto';
import { type Bytes, equal, toHex } from '../../runtime/core/bytes.ts';
import {
  authenticateCard,
  cardChallengeMessage,
  decodeInitializeUpdate,
  initializeUpdate,
  Parameter,
  sessionContext,
} from '../../runtime/core/card/scp03.ts';
import {
  auditSession,
  type RecordedSession,
  type SessionAudit,
} from '../../runtime/core/card/scp03-audit.ts';
import {
  type ChannelKeys,
  type ChannelState,
  LEVEL_FULL,
  unwrapAnswer,
  wrapCommand,
} from '../../runtime/core/card/scp03-channel.ts';
import { modeBytesOf, modeOfBytes, type Scp03Mode } from '../../runtime/core/card/scp03-mode.ts';
import { type PutKeyForm, putKeyCommand, type WrappedKey } from '../../runtime/core/card/scp03-put-key.ts';
import { Fault } from '../../runtime/core/faults.ts';
import type { ChannelProof, KeySet, PutKeyCommand, Token } from '../../runtime/core/token.ts';
import type { Vault, VaultChannel } from './vault.ts';

/** Verbs that a token's process answers; `close` ends the process. */
export type Verb = Exclude<keyof Token, 'close'>;
export type VerbArguments<V extends Verb> = Parameters<Token[V]>;
export type VerbResult<V extends Verb> = Awaited<ReturnType<Token[V]>>;
/** The port without promises. */
export type Verbs = { readonly [V in Verb]: (...input: VerbArguments<V>) => VerbResult<V> };

export interface ChannelLimits {
  /** Channels open at a time; when one more is opened, the one unused for longest is closed. */
  readonly channelsMax: number;
  /** A channel that was not used for so long is closed. */
  readonly idleMs: number;
}
/** 256 stations at once; two minutes outlast every station's patience for one APDU list. */
export const channelLimits: ChannelLimits = { channelsMax: 256, idleMs: 120_000 };
/** Commands of one channel whose answers are still to come; the longest list of a dialogue has a few dozen. */
const AWAITED_MAX = 512;

export interface VerbOptions {
  readonly vault: Vault;
  readonly limits: ChannelLimits;
  /** Stands before each channel's name and must differ for every start, so that no name ever returns. */
  readonly prefix: string;
  readonly monotonicMs: () => number;
}

export interface ChannelTable {
  readonly verbs: Verbs;
  /** Channels open at this moment. */
  open(): number;
  /** Closes channels that were idle for too long. */
  sweep(): void;
  closeAll(): void;
}

interface Channel {
  readonly name: string;
  readonly vault: VaultChannel;
  readonly keyVersion: number;
  readonly hostChallenge: Bytes;
  usedMs: number;
  session: { readonly keys: ChannelKeys; readonly state: ChannelState } | null;
  /** MAC chaining values behind each PUT KEY. */
  readonly putKeyChains: Bytes[];
}

export function createVerbs(options: VerbOptions): ChannelTable {
  const { vault } = options;
  const table = createTable(options);
  const putKeyOf = (channel: Channel, { keys, form, spoilt = false, replaces }: PutKeyCommand) => {
    const source = keys.origin === 'scratch' ? table.get(keys.channel).vault : keys;
    const right = channel.vault.wrapKeys(source);
    const [enc, mac, dek] = spoilt ? withWrongCheckValue(right, vault.random(2)) : right;
    const checkValues = [enc, mac, dek].map((key) => toHex(key.checkValue)) as [string, string, string];
    return { command: putKeyCommand(keys.keyVersion, [enc, mac, dek], form, replaces), checkValues };
  };
  const verbs: Verbs = {
    describe: () => vault.description,
    openChannel: (keys, mode = 's8') => {
      const channel = table.add(vault.openChannel(keys), keys.keyVersion, mode);
      return {
        channel: channel.name,
        initializeUpdate: initializeUpdate(keys.keyVersion, channel.hostChallenge),
      };
    },
    openScratchChannel: (keyVersion, algorithm, mode = 's8') => {
      const channel = table.add(vault.openScratchChannel(algorithm), keyVersion, mode);
      return { channel: channel.name, initializeUpdate: initializeUpdate(keyVersion, channel.hostChallenge) };
    },
    authenticate: (name, answer, aid) => table.using(name, (channel) => authenticate(channel, answer, aid)),
    wrap: (name, commands) =>
      table.using(name, (channel) => {
        const session = sessionOf(channel);
        if (session.state.awaited.length + commands.length > AWAITED_MAX)
          throw new RangeError('too many commands without answers');
        let { state } = session;
        const wrapped = commands.map((command) => {
          const isPut = 'keys' in command;
          const next = wrapCommand(session.keys, state, isPut ? putKeyOf(channel, command).command : command);
          state = next.state;
          if (isPut) channel.putKeyChains.push(state.chain);
          return next.command;
        });
        channel.session = { ...session, state };
        return wrapped;
      }),
    wrapPutKey: (name, put) =>
      table.using(name, (channel) => {
        const session = sessionOf(channel);
        const { command, checkValues } = putKeyOf(channel, put);
        const wrapped = wrapCommand(session.keys, session.state, command);
        channel.session = { ...session, state: wrapped.state };
        channel.putKeyChains.push(wrapped.state.chain);
        return { command: wrapped.command, checkValues };
      }),
    unwrap: (name, answers) =>
      table.using(name, (channel) => {
        const session = sessionOf(channel);
        let { state } = session;
        const judged = answers.map((answer) => {
          const next = unwrapAnswer(session.keys, state, answer);
          state = next.state;
          return next.answer;
        });
        channel.session = { ...session, state };
        return judged;
      }),
    putKeyChains: (name) => table.using(name, (channel) => [...channel.putKeyChains]),
    auditSession: (keys, recorded) => audited(vault, keys, recorded),
    closeChannel: (name) => table.remove(name),
    checkValues: (keys) => vault.checkValues(keys),
    sign: (key, message) => vault.sign(key, message),
    publicKey: (key) => vault.publicKey(key),
  };
  return { verbs, open: table.open, sweep: table.sweep, closeAll: table.closeAll };
}

const FORMS: readonly PutKeyForm[] = ['explicit-length', 'block-only'];

/** In a channel that is in no table: nothing can be sent in it. */
function audited(vault: Vault, keys: KeySet, recorded: RecordedSession): SessionAudit {
  const channel = vault.openChannel(keys);
  try {
    return auditSession(recorded, keys.keyVersion, {
      derive: (source) => channel.derive(source),
      putKeys: (put, replaces) => {
        const wrapped = channel.wrapKeys(put);
        return FORMS.map((form) => putKeyCommand(put.keyVersion, wrapped, form, replaces));
      },
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
    });
  } finally {
    channel.close();
  }
}

/** R-MAC and R-ENC are asked for: without them nothing the card says could be believed. */
function authenticate(channel: Channel, answer: Bytes, aid: Bytes): ChannelProof {
  if (channel.session !== null) throw new RangeError('the channel is authenticated');
  const mode = modeOfBytes(channel.hostChallenge.length);
  const card = decodeInitializeUpdate(answer, channel.keyVersion, mode);
  const needed = Parameter.rMac | Parameter.rEnc;
  if ((card.parameter & needed) !== needed)
    throw new Fault('CARD_COMMAND_REFUSED', {
      command: 'INITIALIZE UPDATE',
      reason: 'no R-MAC and R-ENC',
      parameter: card.parameter,
    });
  const context = sessionContext(channel.hostChallenge, card.cardChallenge);
  const { keys, challenge } = channel.vault.derive({
    context,
    challengeMessage:
      card.sequenceCounter === null ? null : cardChallengeMessage(card.sequenceCounter, aid, mode),
    diversificationData: card.diversificationData,
  });
  const { externalAuthenticate, state } = authenticateCard(keys, context, card.cardCryptogram, LEVEL_FULL);
  channel.session = { keys, state };
  return {
    externalAuthenticate,
    parameter: card.parameter,
    sequenceCounter: card.sequenceCounter,
    challengeRecomputed:
      challenge === null ? null : equal(challenge.subarray(0, modeBytesOf(mode)), card.cardChallenge),
  };
}

type WrappedKeys = readonly [enc: WrappedKey, mac: WrappedKey, dek: WrappedKey];

/** Which key's check value is wrong, and how, is drawn: a chip cannot wait for it. */
function withWrongCheckValue(keys: WrappedKeys, [which = 0, by = 0]: Bytes): WrappedKeys {
  const at = which % keys.length;
  const spoil = (key: WrappedKey, i: number): WrappedKey =>
    i === at
      ? { ...key, checkValue: key.checkValue.map((byte, j) => (j === 0 ? byte ^ (by || 1) : byte)) }
      : key;
  const [enc, mac, dek] = keys;
  return [spoil(enc, 0), spoil(mac, 1), spoil(dek, 2)];
}

function sessionOf(channel: Channel): NonNullable<Channel['session']> {
  if (channel.session === null) throw new RangeError('the channel is not authenticated');
  return channel.session;
}

/** Channels by name, least recently used first. */
function createTable({ vault, limits, prefix, monotonicMs }: VerbOptions) {
  const channels = new Map<string, Channel>();
  let opened = 0;
  const remove = (name: string): void => {
    const channel = channels.get(name);
    channels.delete(name);
    channel?.vault.close();
  };
  const sweep = (): void => {
    for (const { name, usedMs } of channels.values()) {
      if (monotonicMs() - usedMs < limits.idleMs) return;
      remove(name);
    }
  };
  return {
    add: (keys: VaultChannel, keyVersion: number, mode: Scp03Mode): Channel => {
      sweep();
      const [oldest] = channels.keys();
      if (channels.size >= limits.channelsMax && oldest !== undefined) remove(oldest);
      const channel: Channel = {
        name: `${prefix}-${++opened}`,
        vault: keys,
        keyVersion,
        hostChallenge: vault.random(modeBytesOf(mode)),
        usedMs: monotonicMs(),
        session: null,
        putKeyChains: [],
      };
      channels.set(channel.name, channel);
      return channel;
    },
    /** Does something with a channel; any failure closes it, since token and card may differ from here on.
     * @throws Fault DIALOGUE_LOST when there is no such channel */
    using: <Result>(name: string, action: (channel: Channel) => Result): Result => {
      sweep();
      const channel = channels.get(name);
      if (channel === undefined) throw new Fault('DIALOGUE_LOST', { channel: name });
      channels.delete(name);
      channels.set(name, channel);
      channel.usedMs = monotonicMs();
      try {
        return action(channel);
      } catch (error) {
        remove(name);
        throw error;
      }
    },
    /** @throws Fault DIALOGUE_LOST when there is no such channel */
    get: (name: string): Channel => {
      const channel = channels.get(name);
      if (channel === undefined) throw new Fault('DIALOGUE_LOST', { channel: name });
      return channel;
    },
    remove,
    sweep,
    open: () => channels.size,
    closeAll: () => {
      for (const name of [...channels.keys()]) remove(name);
    },
  };
}
