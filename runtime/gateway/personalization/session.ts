/** A protected conversation with one application of the chip; every command goes out only after the one list before was judged. */
import { type Bytes, toBase64 } from '../../core/bytes.ts';
import {
  type Answer,
  type Command,
  decodeAnswer,
  type Exchange,
  encodeCommand,
  framesOf,
} from '../../core/card/apdu.ts';
import { select } from '../../core/card/global-platform.ts';
import { type CardProfile, modeIn } from '../../core/card/profile.ts';
import { decodeInitializeUpdate } from '../../core/card/scp03.ts';
import { StatusWord, showStatusWord } from '../../core/card/status-word.ts';
import { isPutKey } from '../../core/card/transcript.ts';
import { Fault } from '../../core/faults.ts';
import type { ApduList } from '../../core/messages/exchanges.ts';
import type { ApduListName } from '../../core/operation/failpoints.ts';
import type { ChannelProof, CheckValues, KeySet, PutKeyCommand, Token } from '../../core/token.ts';
import type { Line } from '../dialogue.ts';
import type { Evidence } from './evidence.ts';

export interface CardMeans {
  readonly line: Line;
  readonly token: Token;
  /** Names the dialogue to the token. */
  readonly dialogue: string;
  readonly evidence: Evidence;
  readonly profile: CardProfile;
}

export interface SendOptions {
  readonly list: ApduListName;
  readonly changes: boolean;
  readonly deadlineMs?: number;
  /** Commands behind the protected ones that go out in clear; they end the session. */
  readonly plain?: readonly Bytes[];
  /** The session that follows: it is begun in the same list, and ends this one. `first`: its first protected commands. */
  readonly next?: { readonly opening: Opening; readonly first: readonly Protectable[] };
}

/** What goes out in a session; keys are wrapped in the token. */
export type Protectable = Command | PutKeyCommand;

export interface Sent {
  /** Each checked under R-MAC. */
  readonly answers: readonly Answer[];
  /** Answers to `plain` as they came, without any code. */
  readonly plain: readonly Bytes[];
  /** The session that `next` asked for. To be awaited after the answers were judged: what they say comes first.
   * @throws Fault CARD_KEYS_NOT_PROVED when the chip shows another K-MAC than the one put there */
  readonly entered: Promise<CardSession>;
}

export interface OpeningOptions {
  readonly aid: Bytes;
  readonly coldReset: boolean;
  /** Read in clear before the session is begun. */
  readonly reads?: readonly Command[];
}

/** SELECT and INITIALIZE UPDATE of a session to come, with a nonce drawn already. */
export interface Opening {
  readonly actions: ApduList['actions'];
  /** Judges the chip's cryptogram and protects the first commands. @throws Fault CARD_NOT_OURS, CARD_COMMAND_REFUSED */
  complete(played: readonly Exchange[], first: readonly Protectable[]): Promise<CardSession>;
}

/** An open SCP03 channel; EXTERNAL AUTHENTICATE travels with the first list, whose commands are protected already. */
export class CardSession {
  readonly proof: ChannelProof;
  /** ATR of the cold reset that began the session; empty without one. */
  readonly atr: Bytes;
  /** To what was read in clear before it; proves nothing. */
  readonly clear: readonly Answer[];
  readonly #means: CardMeans;
  readonly #channel: string;
  readonly #first: readonly Bytes[];
  /** Whether the chip has these keys from us. */
  readonly #fleet: boolean;
  #started = false;

  private constructor(
    means: CardMeans,
    channel: string,
    opened: {
      readonly proof: ChannelProof;
      readonly atr: Bytes;
      readonly clear: readonly Answer[];
      readonly first: readonly Bytes[];
      readonly keys: KeySet;
    },
  ) {
    this.#fleet = opened.keys.origin === 'fleet';
    this.#means = means;
    this.#channel = channel;
    this.proof = opened.proof;
    this.atr = opened.atr;
    this.clear = opened.clear;
    this.#first = opened.first;
  }

  /** Prepares a session in which the chip must prove K-MAC against a fresh nonce; wrong, nothing more is sent. */
  static async prepare(means: CardMeans, keys: KeySet, options: OpeningOptions): Promise<Opening> {
    const { channel, initializeUpdate } = await means.token.openChannel(
      keys,
      modeIn(means.profile),
      means.dialogue,
    );
    const { plainMs } = means.profile.deadlines;
    const { reads = [] } = options;
    return {
      actions: [
        ...(options.coldReset ? [{ kind: 'cold-reset' as const }] : []),
        plainAction(encodeCommand(select(options.aid)), plainMs),
        ...reads.map((command) => plainAction(encodeCommand(command), plainMs)),
        plainAction(initializeUpdate, plainMs),
      ],
      complete: async (played, commands) => {
        const atr = options.coldReset ? (played[0]?.answer ?? new Uint8Array(0)) : new Uint8Array(0);
        const [selected, ...more] = played.slice(options.coldReset ? 1 : 0);
        const clear = more.slice(0, reads.length).map((exchange) => decodeAnswer(exchange.answer));
        demandSuccess(selected, 'SELECT');
        const answer = demandSuccess(more[reads.length], 'INITIALIZE UPDATE');
        demandParameter(answer, keys.keyVersion, means.profile);
        // Asked in one breath: where the chip proves nothing, the channel is gone and protects nothing.
        const [proof, first] = await Promise.all([
          means.token.authenticate(channel, answer, options.aid),
          means.token.wrap(channel, commands),
        ]);
        return new CardSession(means, channel, { proof, atr, clear, first, keys });
      },
    };
  }

  /** A session that is begun by a list of its own. */
  static async open(
    means: CardMeans,
    { opening, first }: NonNullable<SendOptions['next']>,
    list: ApduListName,
  ): Promise<CardSession> {
    const played = await means.line.play({ name: list, changes: false, actions: [...opening.actions] });
    return opening.complete(played, first);
  }

  /** Plays the first list: the commands that the session was begun with, and more. @throws Fault CARD_CHANNEL_BROKEN */
  async start(options: SendOptions, more: readonly Protectable[] = []): Promise<Sent> {
    if (this.#started) throw new RangeError('the session has begun');
    this.#started = true;
    const wrapped = more.length === 0 ? [] : await this.#means.token.wrap(this.#channel, more);
    return this.#play([this.proof.externalAuthenticate], [...this.#first, ...wrapped], options);
  }

  /** Plays commands in a later list. @throws Fault CARD_CHANNEL_BROKEN */
  async send(commands: readonly Protectable[], options: SendOptions): Promise<Sent> {
    return this.#play([], await this.#means.token.wrap(this.#channel, commands), options);
  }

  /** PUT KEY, the only protected command of its list. */
  async putKeys(keys: KeySet, options: SendOptions): Promise<Sent & { readonly checkValues: CheckValues }> {
    const form = this.#means.profile.putKeyForm;
    const { command, checkValues } = await this.#means.token.wrapPutKey(this.#channel, { keys, form });
    return { ...(await this.#play([], [command], options)), checkValues };
  }

  close(): Promise<void> {
    return this.#means.token.closeChannel(this.#channel);
  }

  async #play(
    before: readonly Bytes[],
    wrapped: readonly Bytes[],
    { list: name, changes, next, ...options }: SendOptions,
  ): Promise<Sent> {
    const { line, token, profile, evidence } = this.#means;
    const deadlineMs = options.deadlineMs ?? profile.deadlines.plainMs;
    const plain = options.plain ?? [];
    const chains = wrapped.map(framesOf);
    const own = [...before, ...chains.flat(), ...plain].map((command) => plainAction(command, deadlineMs));
    const actions = [...own, ...(next?.opening.actions ?? [])];
    const putKeys = wrapped.filter(isPutKey).length;
    const putKeyChains = putKeys === 0 ? null : line.meanwhile(() => token.putKeyChains(this.#channel));
    const played = await line.play({ name, changes, actions });
    evidence.putKeys((await putKeyChains)?.slice(-putKeys) ?? []);
    if (before.length > 0) demandSuccess(played[0], 'EXTERNAL AUTHENTICATE');
    const [first, last] = [before.length, own.length - plain.length];
    const unwrapping = token.unwrap(this.#channel, joinedAnswers(chains, played.slice(first, last)));
    const entered = next === undefined ? nowhere() : this.#leaveFor(next, played.slice(own.length));
    entered.catch(() => undefined); // Whoever sends asks for it once the answers are judged.
    return {
      answers: await (this.#fleet ? unwrapping.catch(asUnproved) : unwrapping),
      plain: played.slice(last, own.length).map((exchange) => exchange.answer),
      entered,
    };
  }

  /** The card has left this session for the next one. */
  async #leaveFor(
    { opening, first }: NonNullable<SendOptions['next']>,
    opened: readonly Exchange[],
  ): Promise<CardSession> {
    const closing = this.close();
    const [entered] = await Promise.all([opening.complete(opened, first).catch(asUnproved), closing]);
    return entered;
  }
}

/** One answer for each command: the parts of one that was cut into frames are acknowledged bare.
 * @throws Fault CARD_COMMAND_REFUSED for a part that is not */
function joinedAnswers(chains: readonly (readonly Bytes[])[], played: readonly Exchange[]): readonly Bytes[] {
  let at = 0;
  return chains.map((frames) => {
    const exchanges = played.slice(at, at + frames.length);
    at += frames.length;
    for (const part of exchanges.slice(0, -1)) demandSuccess(part, 'chained frame');
    return exchanges.at(-1)?.answer ?? new Uint8Array(0);
  });
}

function nowhere(): Promise<never> {
  return Promise.reject(new RangeError('no session was to follow'));
}

/** A wrong cryptogram under keys that we put there is a failed proof, not a foreign chip. */
export function asUnproved(error: unknown): never {
  if (error instanceof Fault && error.code === 'CARD_NOT_OURS')
    throw new Fault('CARD_KEYS_NOT_PROVED', { step: error.context.proof ?? 'cryptogram' }, { cause: error });
  throw error;
}

/** The data of an answer that came under R-MAC with success.
 * @throws Fault CARD_COMMAND_REFUSED otherwise: a refusal has no MAC and judges nobody */
export function dataOf(answer: Answer | undefined, command: string): Bytes {
  if (answer === undefined) throw new Fault('CARD_ANSWER_MALFORMED', { command });
  if (answer.statusWord !== StatusWord.success)
    throw new Fault('CARD_COMMAND_REFUSED', { command, statusWord: showStatusWord(answer.statusWord) });
  return answer.data;
}

/** Data, or nothing where the card says under no protection that there is nothing. */
export function dataOrEmpty(answer: Answer | undefined): Bytes {
  return answer?.statusWord === StatusWord.success ? answer.data : new Uint8Array(0);
}

/** The i parameter is said in clear: one that the profile does not know is nobody's fault yet.
 * @throws Fault CARD_ANSWER_MALFORMED */
function demandParameter(answer: Bytes, keyVersion: number, profile: CardProfile): void {
  const { parameter } = decodeInitializeUpdate(answer, keyVersion, modeIn(profile));
  if (!profile.scp03Parameters.includes(parameter))
    throw new Fault('CARD_ANSWER_MALFORMED', {
      command: 'INITIALIZE UPDATE',
      field: 'parameter',
      value: parameter,
    });
}

function demandSuccess(exchange: Exchange | undefined, command: string): Bytes {
  if (exchange === undefined) throw new Fault('CARD_ANSWER_MALFORMED', { command });
  dataOf(decodeAnswer(exchange.answer), command);
  return exchange.answer;
}

function plainAction(command: Bytes, deadlineMs: number): ApduList['actions'][number] {
  return { kind: 'command', command: toBase64(command), deadlineMs };
}
