/**
 * The card reader port over PC/SC, with one process per reader: a card that never answers hangs whoever asked it.
 * Short and extended commands; no transactions, since the connection is exclusive.
 *
 * @see ISO/IEC 7816-3; PC/SC part 5
 */
import { randomInt } from 'node:crypto';
import { Fault } from '../../../runtime/core/faults.ts';
import type { CardAction, CardReader, PlayOutcome } from '../../../runtime/core/ports.ts';
import type { ReaderSettings } from './protocol.ts';
import { type ListEnd, type ReaderProcess, startReaderProcess } from './reader-process.ts';

export interface PcscReaderOptions {
  /** The reader's name, or a part of it that only one has. */
  readonly readerName: string;
  readonly connectDeadlineMs: number;
  /** For a cold reset; a command brings its own. */
  readonly defaultDeadlineMs?: number;
  /** pcscd's socket, where it is not the system's. */
  readonly socket?: string;
}

const RESET_DEADLINE_MS = 5_000;
/** The reader's process keeps the deadlines; the station waits this much longer for one that cannot even do that. */
const MARGIN_MS = 1_000;
/** Between the loss of a process and the next one: doubled at each loss in a row, each time half to one and a half. */
const RESTART_MS = { first: 200, max: 5_000 };
/** A reader that stays "in use" so often and so long after a command was abandoned is stuck in its driver. */
const STUCK = { answers: 3, afterMs: 10_000 };

/** Connects at the first list. @throws nothing: what is missing shows in the outcome of `play`. */
export async function openPcscReader(options: PcscReaderOptions): Promise<CardReader & AsyncDisposable> {
  return new PcscReader(options);
}

class PcscReader implements CardReader, AsyncDisposable {
  readonly #settings: Omit<ReaderSettings, 'interrupted'>;
  readonly #socket: string | undefined;
  #process: ReaderProcess | null = null;
  #playing: Promise<PlayOutcome> | null = null;
  #closed = false;
  #wake: () => void = () => undefined;
  /** A process was lost: the card's session went with it. */
  #interrupted = false;
  /** Losses since the last list that was played. */
  #losses = 0;
  #restartAt = 0;
  /** Since a command was abandoned: when, and how often the reader was in use after that. */
  #abandoned: { readonly atMs: number; inUse: number } | null = null;

  constructor(options: PcscReaderOptions) {
    const { readerName, connectDeadlineMs, defaultDeadlineMs = RESET_DEADLINE_MS, socket } = options;
    this.#settings = { readerName, connectDeadlineMs, defaultDeadlineMs };
    this.#socket = socket;
  }

  async play(actions: readonly CardAction[]): Promise<PlayOutcome> {
    if (this.#playing !== null) throw new Error('a list is under way in this reader');
    this.#playing = this.#play(actions);
    try {
      return await this.#playing;
    } finally {
      this.#playing = null;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#process?.kill();
    await this.#playing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #play(actions: readonly CardAction[]): Promise<PlayOutcome> {
    if (actions.length === 0) return { outcome: 'played', exchanges: [] };
    const readerProcess = await this.#ready();
    if (readerProcess === null)
      return { outcome: 'unsent', exchanges: [], fault: new Fault('READER_ABSENT', { reason: 'closed' }) };
    const { connectDeadlineMs, defaultDeadlineMs } = this.#settings;
    const listMs = actions.reduce(
      (sum, action) => sum + (action.kind === 'command' ? action.deadlineMs : defaultDeadlineMs),
      0,
    );
    const end = await readerProcess.play(actions, {
      deadlineMs: connectDeadlineMs + listMs + MARGIN_MS,
      connectDeadlineMs: connectDeadlineMs + MARGIN_MS,
    });
    if (end.kind === 'lost' || end.played.ends) await this.#lose(readerProcess);
    const outcome = outcomeOf(end);
    if (outcome.outcome !== 'played') return this.#stuckOr(outcome);
    this.#losses = 0;
    this.#abandoned = null;
    return outcome;
  }

  /** The process, a new one where the last was lost; null after `close`. */
  async #ready(): Promise<ReaderProcess | null> {
    if (this.#process !== null && !this.#process.alive) await this.#lose(this.#process);
    if (this.#process === null) {
      await this.#rest(this.#restartAt - performance.now());
      if (this.#closed) return null;
      const settings = { ...this.#settings, interrupted: this.#interrupted };
      this.#process = startReaderProcess(settings, this.#socket);
    }
    return this.#closed ? null : this.#process;
  }

  /** Waits so long, or until `close`. */
  #rest(waitMs: number): Promise<void> {
    if (waitMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #lose(readerProcess: ReaderProcess): Promise<void> {
    await readerProcess.kill();
    this.#process = null;
    this.#interrupted = true;
    const waitMs = Math.min(RESTART_MS.max, RESTART_MS.first * 2 ** Math.min(this.#losses++, 10));
    this.#restartAt = performance.now() + waitMs * (0.5 + randomInt(1000) / 1000);
  }

  /** The outcome as it is, or, where the reader has long been in use by our own abandoned command, that. */
  #stuckOr(outcome: Exclude<PlayOutcome, { outcome: 'played' }>): PlayOutcome {
    if (outcome.fault.code === 'CARD_OUTCOME_UNKNOWN')
      this.#abandoned = { atMs: performance.now(), inUse: 0 };
    if (outcome.fault.code !== 'READER_IN_USE' || this.#abandoned === null) return outcome;
    this.#abandoned.inUse++;
    const sinceMs = performance.now() - this.#abandoned.atMs;
    if (this.#abandoned.inUse < STUCK.answers || sinceMs < STUCK.afterMs) return outcome;
    const reason = 'the reader still holds a command that was abandoned: restart pcscd';
    return { ...outcome, fault: new Fault('READER_FAILED', { reason }, { cause: outcome.fault }) };
  }
}

function outcomeOf(end: ListEnd): PlayOutcome {
  if (end.kind === 'lost') {
    const context = { readerProcess: end.reason };
    return end.connected
      ? { outcome: 'unknown', exchanges: [], fault: new Fault('CARD_OUTCOME_UNKNOWN', context) }
      : { outcome: 'unsent', exchanges: [], fault: new Fault('READER_SERVICE_DOWN', context) };
  }
  const { outcome, exchanges, fault } = end.played;
  if (outcome === 'played') return { outcome, exchanges };
  const note = fault ?? { code: 'READER_FAILED', context: {} };
  return { outcome, exchanges, fault: new Fault(note.code, note.context) };
}
