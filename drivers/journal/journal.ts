/**
 * The journal over any ordered store that writes a batch atomically and durably: one batch at a time, the first
 * error of any kind ends the handle, and the whole chain is verified before anything is read from it.
 */
import { canonicalJson } from '../../runtime/core/canonical-json.ts';
import { asFault, Fault } from '../../runtime/core/faults.ts';
import {
  chain,
  type EntryMark,
  type Genesis,
  genesisHash,
  type JournalEntry,
  type NewEntry,
  type Sha256,
} from '../../runtime/core/journal/entry.ts';
import { CUT_ENTRIES_MAX } from '../../runtime/core/journal/retention.ts';
import type { FactName } from '../../runtime/core/operation/facts.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import { createGroupCommit, type GroupCommit } from './group-commit.ts';
import type { Change, OrderedStore, Witness } from './ordered-store.ts';
import {
  ANCHOR_KEY,
  CUT_KEY,
  type Cut,
  cutIn,
  encodeEntry,
  entryKey,
  outboxKey,
  type Tail,
  verified,
} from './stored.ts';
import { hashAt, type State, startOf, verifyAll } from './verify.ts';

export interface JournalOptions {
  readonly genesis: Genesis;
  readonly store: OrderedStore;
  readonly sha256: Sha256;
  readonly witness?: Witness;
  /** Told each entry as the opening verifies it. Nothing may follow from one before the opening has succeeded. */
  readonly onEntry?: ((entry: JournalEntry) => void) | undefined;
  /** Told when closing fails: by then the journal is poisoned or done, and nothing else depends on it. */
  readonly onWarning: (warning: string) => void;
  /** @throws Fault JOURNAL_SPACE_LOW */
  readonly requireRoom: () => void;
  /** `clean`: nothing was under way, and the whole chain is in the store and under the witness. */
  readonly release: (clean: boolean) => void;
}

/** @throws Fault JOURNAL_DAMAGED naming the first bad sequence. */
export async function openJournal(options: JournalOptions): Promise<Journal & AsyncDisposable> {
  const { genesis, store, sha256, witness, onEntry } = options;
  const start: Tail = { next: 0, hash: genesisHash(genesis, sha256) };
  const mark = witness === undefined ? {} : { mark: witness.mark };
  return new OpenJournal(options, start, await verifyAll(store, { start, sha256, onEntry, ...mark }));
}

/** Facts after which something happens that can neither be undone nor asked again. */
const IRREVERSIBLE: ReadonlySet<FactName> = new Set(['intent', 'release-intent', 'reject-intent'] as const);

/** Entries of one batch, and their bytes: what one fsync may take with it. */
const BATCH_ENTRIES_MAX = 256;
const BATCH_BYTES_MAX = 256 * 1024;
/** Callers that may wait. More means that something upstream has no deadline. */
const WAITING_MAX = 4096;
/** Sequence, space, hash and braces of a stored entry, at most. */
const ENVELOPE_BYTES = 128;

type Item =
  | { readonly kind: 'append'; readonly entries: readonly NewEntry[]; readonly sizeBytes: number }
  | { readonly kind: 'acknowledge'; readonly sequence: number }
  | { readonly kind: 'cut'; readonly cut: Cut };

class OpenJournal implements Journal, AsyncDisposable {
  readonly journalId: string;
  readonly #options: JournalOptions;
  readonly #genesis: Tail;
  readonly #commits: GroupCommit<Item, readonly JournalEntry[]>;
  #state: State;
  /** Where reading begins. It moves before the entries go. */
  #start: Tail;
  #closing: Promise<boolean> | null = null;
  #disposing: Promise<void> | null = null;

  constructor(options: JournalOptions, genesis: Tail, state: State) {
    this.journalId = options.genesis.journal;
    this.#options = options;
    this.#genesis = genesis;
    this.#state = state;
    this.#start = startOf(state.cut, genesis);
    this.#commits = createGroupCommit({
      commit: (waiting) => this.#commit(waiting),
      failed: (error) => this.#poisonedBy(error),
      waitingMax: WAITING_MAX,
    });
  }

  async append(entries: readonly NewEntry[]): Promise<readonly JournalEntry[]> {
    const sizeBytes = entries.reduce((sum, { at, fact }) => sum + sizeOf({ at, fact }), 0);
    if (entries.length > BATCH_ENTRIES_MAX || sizeBytes > BATCH_BYTES_MAX)
      throw new RangeError('more than one batch holds');
    return this.#commits.add({ kind: 'append', entries, sizeBytes });
  }

  async acknowledge(sequence: number): Promise<void> {
    if (sequence >= this.#state.tail.next) throw new RangeError('acknowledges what is not written');
    await this.#commits.add({ kind: 'acknowledge', sequence });
  }

  get cut(): EntryMark | null {
    const { cut } = this.#state;
    return cut === null ? null : { sequence: cut.sequence, hash: cut.hash };
  }

  async giveUp(sequence: number): Promise<void> {
    const { store } = this.#options;
    const upTo = cutIn(await store.get(entryKey(sequence)));
    const acknowledged = this.#state.anchor?.sequence ?? -1;
    if (upTo === null || upTo.sequence >= sequence || sequence > acknowledged)
      throw new RangeError('no acknowledged entry says what to give up');
    if (upTo.sequence < this.#start.next) return;
    if (upTo.sequence - this.#start.next >= CUT_ENTRIES_MAX) throw new RangeError('too many at once');
    if ((await hashAt(store, upTo.sequence)) !== upTo.hash) throw new RangeError('names another entry');
    await this.#commits.add({ kind: 'cut', cut: { ...upTo, by: sequence } });
    await store.compact({ gte: entryKey(0), lt: entryKey(upTo.sequence + 1) }).catch((error: unknown) => {
      if (this.#closing !== null) return; // It was closed meanwhile: the next opening compacts by itself.
      this.#commits.poison(this.#poisonedBy(error));
      throw asPoison(error);
    });
  }

  read(from = 0): AsyncIterable<JournalEntry> {
    return this.#read(from, this.#state.tail.next);
  }

  async unacknowledged(limit: number): Promise<readonly JournalEntry[]> {
    const from = (this.#state.anchor?.sequence ?? -1) + 1;
    const end = Math.min(this.#state.tail.next, from + limit);
    const entries: JournalEntry[] = [];
    for await (const entry of this.#read(from, end)) entries.push(entry);
    return entries;
  }

  async requireRoom(): Promise<void> {
    if (this.#commits.poisoned !== null) throw this.#commits.poisoned;
    this.#options.requireRoom();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose();
    return this.#disposing;
  }

  async #commit(waiting: readonly Item[]): Promise<readonly (readonly JournalEntry[])[]> {
    const { store, witness } = this.#options;
    const { changes, results, ...after } = await plan(waiting, this.#state, this.#options);
    if (after.cut !== this.#state.cut) {
      // What the witness remembers must not be among what goes.
      const { next, hash } = this.#state.tail;
      await witness?.write({ sequence: next - 1, hash });
      this.#start = startOf(after.cut, this.#genesis);
    }
    if (changes.length > 0) await store.write(changes);
    if (results.flat().some(({ fact }) => IRREVERSIBLE.has(fact.name)))
      await witness?.write({ sequence: after.tail.next - 1, hash: after.tail.hash });
    this.#state = after;
    return results;
  }

  async *#read(from: number, end: number): AsyncGenerator<JournalEntry> {
    const { store, sha256 } = this.#options;
    if (this.#commits.poisoned !== null) throw this.#commits.poisoned;
    for (;;) {
      const start = this.#start;
      if (Math.max(from, start.next) >= end) return;
      let begun = false;
      try {
        const tail = from <= start.next ? start : { next: from, hash: await hashAt(store, from - 1) };
        const range = { gte: entryKey(tail.next), lt: entryKey(end) };
        for await (const entry of verified(store.range(range), { tail, end, sha256 })) {
          begun = true;
          yield entry;
        }
        return;
      } catch (error) {
        // After a poisoning the store is closed under the reader: what it says then means nothing.
        if (this.#commits.poisoned !== null) throw this.#commits.poisoned;
        // What was given up before the reader had begun is not missing.
        if (!begun && this.#start !== start) continue;
        this.#commits.poison(this.#poisonedBy(error));
        throw error;
      }
    }
  }

  #poisonedBy(error: unknown): Fault {
    void this.#close();
    return asPoison(error);
  }

  /** Resolves with whether it closed as it should. */
  #close(): Promise<boolean> {
    const { store, onWarning } = this.#options;
    this.#closing ??= store.close().then(
      () => true,
      (error: unknown) => {
        onWarning(`the journal did not close: ${error}`);
        return false;
      },
    );
    return this.#closing;
  }

  async #dispose(): Promise<void> {
    await this.#commits.idle();
    const whole = this.#commits.poisoned === null && (await this.#witnessTail());
    this.#commits.poison(asPoison(new Error('closed')));
    const clean = (await this.#close()) && whole;
    this.#options.witness?.close();
    this.#options.release(clean);
  }

  /** At a clean stop the last entry of all is remembered, so that none can be missing at the next start. */
  async #witnessTail(): Promise<boolean> {
    const { witness, onWarning } = this.#options;
    const { next, hash } = this.#state.tail;
    try {
      await witness?.write({ sequence: next - 1, hash });
      return true;
    } catch (error) {
      onWarning(`the end of the journal could not be noted: ${error}`);
      return false;
    }
  }
}

/** As many of the waiting items as one batch holds, and what the store has to change for them. */
async function plan(
  waiting: readonly Item[],
  state: State,
  { store, sha256 }: JournalOptions,
): Promise<
  State & { readonly changes: readonly Change[]; readonly results: readonly (readonly JournalEntry[])[] }
> {
  let { tail, anchor, cut } = state;
  let count = 0;
  let sizeBytes = 0;
  const changes: Change[] = [];
  const results: JournalEntry[][] = [];
  for (const item of waiting) {
    const written: JournalEntry[] = [];
    if (item.kind === 'append') {
      count += item.entries.length;
      sizeBytes += item.sizeBytes;
      if (results.length > 0 && (count > BATCH_ENTRIES_MAX || sizeBytes > BATCH_BYTES_MAX)) break;
      for (const entry of item.entries) {
        const next = chain(entry, tail.next, tail.hash, sha256);
        changes.push({ type: 'put', key: entryKey(next.sequence), value: encodeEntry(next) });
        changes.push({ type: 'put', key: outboxKey(next.sequence), value: new Uint8Array(0) });
        tail = { next: next.sequence + 1, hash: next.hash };
        written.push(next);
      }
    } else if (item.kind === 'cut') {
      // A batch of its own, so that the witness is asked before anything goes.
      if (results.length > 0) break;
      if (item.cut.sequence <= (cut?.sequence ?? -1))
        return { tail, anchor, cut, changes, results: [written] };
      for (let at = (cut?.sequence ?? -1) + 1; at <= item.cut.sequence; at++)
        changes.push({ type: 'del', key: entryKey(at) });
      cut = item.cut;
      changes.push({ type: 'put', key: CUT_KEY, value: Buffer.from(canonicalJson({ ...cut })) });
      return { tail, anchor, cut, changes, results: [written] };
    } else if (item.sequence > (anchor?.sequence ?? -1)) {
      for (let at = (anchor?.sequence ?? -1) + 1; at <= item.sequence; at++)
        changes.push({ type: 'del', key: outboxKey(at) });
      anchor = { sequence: item.sequence, hash: await hashAt(store, item.sequence) };
      changes.push({ type: 'put', key: ANCHOR_KEY, value: Buffer.from(canonicalJson({ ...anchor })) });
    }
    results.push(written);
  }
  return { tail, anchor, cut, changes, results };
}

/** The canonical form, whose keys are only in another order, has as many bytes. */
function sizeOf(entry: NewEntry): number {
  return Buffer.byteLength(JSON.stringify(entry)) + ENVELOPE_BYTES;
}

/** Any error of the store as the end of this handle: what was under way may or may not be stored. */
function asPoison(error: unknown): Fault {
  const cause = (error as Error).cause as { code?: string } | undefined;
  const fault = asFault(error, 'JOURNAL_POISONED', {
    store: cause?.code ?? (error as { code?: string }).code ?? null,
  });
  return fault.code === 'JOURNAL_POISONED'
    ? fault
    : new Fault('JOURNAL_POISONED', { after: fault.code }, { cause: fault });
}
