/** A protected conversation with one application of the chip; every command goes out only after the one list before was judged. */
import { type Bytes, toBase64 } from '../../core/bytes.ts';
import {
  type Answer,
  type Command,
  decodeAnswer,
  type Exchange,
  encodeCommand,
} from '../../core/card/apdu.ts';
import { select } from '../../core/card/global-platform.ts';
import type { CardProfile } from '../../core/card/profile.ts';
import { StatusWord, showStatusWord } from '../../core/card/status-word.ts';
import { Fault } from '../../core/faults.ts';
import type { ApduList } from '../../core/messages/exchanges.ts';
import type { ApduListName } from '../../core/operation/failpoints.ts';
import type { ChannelProof, CheckValues, KeySet, Token } from '../../core/token.ts';
import type { Line } from '../dialogue.ts';

export interface CardMeans {
  readonly line: Line;
  readonly token: Token;
  readonly profile: CardProfile;
}

export interface SendOptions {
  readonly list: ApduListName;
  readonly changes: boolean;
  readonly deadlineMs?: number;
  /** Commands behind the protected ones that go out in clear; they end the session. */
  readonly plain?: readonly Command[];
  /** The session that follows: its first commands travel in the same list, and end this one. */
  readonly next?: Opening;
}

export interface Sent {
  /** Each checked under R-MAC. */
  readonly answers: readonly Answer[];
  /** Answers to `plain`, without any code. */
  readonly plain: readonly Answer[];
  /** The session that `next` asked for. To be awaited after the answers were judged: what they say comes first.
   * @throws Fault CARD_KEYS_NOT_PROVED when the chip shows another K-MAC than the one put there */
  readonly entered: Promise<CardSession>;
}

export interface OpeningOptions {
  readonly aid: Bytes;
  readonly coldReset: boolean;
  /** Commands of the session's first list. */
  readonly first: readonly Command[];
}

/** SELECT and INITIALIZE UPDATE of a session to come, with a nonce drawn already. */
export interface Opening {
  readonly actions: ApduList['actions'];
  /** Judges the chip's cryptogram. @throws Fault CARD_NOT_OURS, CARD_COMMAND_REFUSED */
  complete(played: readonly Exchange[]): Promise<CardSession>;
}

/** An open SCP03 channel; EXTERNAL AUTHENTICATE travels with the first list, whose commands are protected already. */
export class CardSession {
  readonly proof: ChannelProof;
  /** ATR of the cold reset that began the session; empty without one. */
  readonly atr: Bytes;
  readonly #means: CardMeans;
  readonly #channel: string;
  readonly #first: readonly Bytes[];
  #started = false;

  private constructor(
    means: CardMeans,
    channel: string,
    opened: { readonly proof: ChannelProof; readonly atr: Bytes; readonly first: readonly Bytes[] },
  ) {
    this.#means = means;
    this.#channel = channel;
    this.proof = opened.proof;
    this.atr = opened.atr;
    this.#first = opened.first;
  }

  /** Prepares a session in which the chip must prove K-MAC against a fresh nonce; wrong, nothing more is sent. */
  static async prepare(means: CardMeans, keys: KeySet, options: OpeningOptions): Promise<Opening> {
    const { channel, initializeUpdate } = await means.token.openChannel(keys);
    const { plainMs } = means.profile.deadlines;
    return {
      actions: [
        ...(options.coldReset ? [{ kind: 'cold-reset' as const }] : []),
        plainAction(encodeCommand(select(options.aid)), plainMs),
        plainAction(initializeUpdate, plainMs),
      ],
      complete: async (played) => {
        const atr = options.coldReset ? (played[0]?.answer ?? new Uint8Array(0)) : new Uint8Array(0);
        const [selected, initialized] = played.slice(options.coldReset ? 1 : 0);
        demandSuccess(selected, 'SELECT');
        const answer = demandSuccess(initialized, 'INITIALIZE UPDATE');
        // Asked in one breath: where the chip proves nothing, the channel is gone and protects nothing.
        const [proof, first] = await Promise.all([
          means.token.authenticate(channel, answer, options.aid),
          means.token.wrap(channel, options.first),
        ]);
        return new CardSession(means, channel, { proof, atr, first });
      },
    };
  }

  /** A session whose first commands are a list of their own. */
  static async open(means: CardMeans, opening: Opening, list: ApduListName): Promise<CardSession> {
    return opening.complete(
      await means.line.play({ name: list, changes: false, actions: [...opening.actions] }),
    );
  }

  /** Plays the first list: what the opening named. @throws Fault CARD_CHANNEL_BROKEN */
  start(options: SendOptions): Promise<Sent> {
    if (this.#started) throw new RangeError('the session has begun');
    this.#started = true;
    return this.#play([this.proof.externalAuthenticate], this.#first, options);
  }

  /** Plays commands in a later list. @throws Fault CARD_CHANNEL_BROKEN */
  async send(commands: readonly Command[], options: SendOptions): Promise<Sent> {
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
    const { line, token, profile } = this.#means;
    const deadlineMs = options.deadlineMs ?? profile.deadlines.plainMs;
    const plain = (options.plain ?? []).map(encodeCommand);
    const own = [...before, ...wrapped, ...plain].map((command) => plainAction(command, deadlineMs));
    const actions = [...own, ...(next?.actions ?? [])];
    const played = await line.play({ name, changes, actions });
    if (played.length !== actions.length)
      throw new Fault('CARD_ANSWER_MALFORMED', { exchanges: played.length, expected: actions.length });
    if (before.length > 0) demandSuccess(played[0], 'EXTERNAL AUTHENTICATE');
    const [first, last] = [before.length, before.length + wrapped.length];
    const unwrapping = token.unwrap(
      this.#channel,
      played.slice(first, last).map((exchange) => exchange.answer),
    );
    const entered = next === undefined ? nowhere() : this.#leaveFor(next, played.slice(own.length));
    entered.catch(() => undefined); // Whoever sends asks for it once the answers are judged.
    return {
      answers: await unwrapping,
      plain: played.slice(last, own.length).map((exchange) => decodeAnswer(exchange.answer)),
      entered,
    };
  }

  /** The card has left this session for the next one. */
  async #leaveFor(next: Opening, opened: readonly Exchange[]): Promise<CardSession> {
    const closing = this.close();
    const [entered] = await Promise.all([next.complete(opened).catch(asUnproved), closing]);
    return entered;
  }
}

function nowhere(): Promise<never> {
  return Promise.reject(new RangeError('no session was to follow'));
}

/** A wrong cryptogram under keys that we put there is a failed proof, not a foreign chip. */
export function asUnproved(error: unknown): never {
  if (error instanceof Fault && error.code === 'CARD_NOT_OURS')
    throw new Fault('CARD_KEYS_NOT_PROVED', { step: 'cryptogram' }, { cause: error });
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

function demandSuccess(exchange: Exchange | undefined, command: string): Bytes {
  if (exchange === undefined) throw new Fault('CARD_ANSWER_MALFORMED', { command });
  dataOf(decodeAnswer(exchange.answer), command);
  return exchange.answer;
}

function plainAction(command: Bytes, deadlineMs: number): ApduList['actions'][number] {
  return { kind: 'command', command: toBase64(command), deadlineMs };
}
