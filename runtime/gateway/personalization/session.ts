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
  /** What came back for `next`, to be judged after the answers. */
  readonly opened: readonly Exchange[];
}

/** SELECT and INITIALIZE UPDATE of a session to come, with a nonce drawn already. */
export interface Opening {
  readonly actions: ApduList['actions'];
  /** Judges the chip's cryptogram. @throws Fault CARD_NOT_OURS, CARD_COMMAND_REFUSED */
  complete(played: readonly Exchange[]): Promise<CardSession>;
}

/** An open SCP03 channel; EXTERNAL AUTHENTICATE travels with the first list. */
export class CardSession {
  readonly proof: ChannelProof;
  /** ATR of the cold reset that began the session; empty without one. */
  readonly atr: Bytes;
  readonly #means: CardMeans;
  readonly #channel: string;
  #pending: Bytes | null;

  private constructor(means: CardMeans, channel: string, proof: ChannelProof, atr: Bytes) {
    this.#means = means;
    this.#channel = channel;
    this.proof = proof;
    this.atr = atr;
    this.#pending = proof.externalAuthenticate;
  }

  /** Prepares a session in which the chip must prove K-MAC against a fresh nonce; wrong, nothing more is sent. */
  static async prepare(
    means: CardMeans,
    keys: KeySet,
    options: { readonly aid: Bytes; readonly coldReset: boolean },
  ): Promise<Opening> {
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
        const proof = await means.token.authenticate(channel, answer, options.aid);
        return new CardSession(means, channel, proof, atr);
      },
    };
  }

  /** A session whose first commands are a list of their own. */
  static async open(means: CardMeans, opening: Opening, list: ApduListName): Promise<CardSession> {
    return opening.complete(
      await means.line.play({ name: list, changes: false, actions: [...opening.actions] }),
    );
  }

  /** Plays commands in one list. @throws Fault CARD_CHANNEL_BROKEN */
  async send(commands: readonly Command[], options: SendOptions): Promise<Sent> {
    return this.#play(await this.#means.token.wrap(this.#channel, commands), options);
  }

  /** PUT KEY, the only protected command of its list. */
  async putKeys(keys: KeySet, options: SendOptions): Promise<Sent & { readonly checkValues: CheckValues }> {
    const form = this.#means.profile.putKeyForm;
    const { command, checkValues } = await this.#means.token.wrapPutKey(this.#channel, { keys, form });
    return { ...(await this.#play([command], options)), checkValues };
  }

  close(): Promise<void> {
    return this.#means.token.closeChannel(this.#channel);
  }

  async #play(wrapped: readonly Bytes[], options: SendOptions): Promise<Sent> {
    const deadlineMs = options.deadlineMs ?? this.#means.profile.deadlines.plainMs;
    const before = this.#pending === null ? [] : [this.#pending];
    this.#pending = null;
    const plain = (options.plain ?? []).map(encodeCommand);
    const own = [...before, ...wrapped, ...plain].map((command) => plainAction(command, deadlineMs));
    const actions = [...own, ...(options.next?.actions ?? [])];
    const played = await this.#means.line.play({ name: options.list, changes: options.changes, actions });
    if (played.length !== actions.length)
      throw new Fault('CARD_ANSWER_MALFORMED', { exchanges: played.length, expected: actions.length });
    if (before.length > 0) demandSuccess(played[0], 'EXTERNAL AUTHENTICATE');
    const protectedOnes = played.slice(before.length, before.length + wrapped.length);
    const answers = await this.#means.token.unwrap(
      this.#channel,
      protectedOnes.map((exchange) => exchange.answer),
    );
    return {
      answers,
      plain: played.slice(before.length + wrapped.length, own.length).map((e) => decodeAnswer(e.answer)),
      opened: played.slice(own.length),
    };
  }
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
